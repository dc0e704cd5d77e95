"""One small file per kind of finding (see `agent.doctor`). Nothing here touches a disk, a clock or a process."""
