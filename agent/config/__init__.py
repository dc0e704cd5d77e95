"""The unit's configuration: its shape (`settings`), how a file becomes one (`load`) and where values come from."""
