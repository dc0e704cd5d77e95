"""What each part of our hardware opens on a Raspberry Pi, as its own sources and the kernel's have it.

Written from those sources and not from our service, so that a test can hold one against the other. Group: the name of
its major number in /proc/devices, by which systemd lets it through (systemd.resource-control(5), DeviceAllow=). Module:
what has to be loaded before that name exists; None: it is built into every kernel of Raspberry Pi OS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Opened:
    """Device files of one kind."""

    by: str
    """The library or program that opens them."""
    files: str
    group: str
    module: str | None
    source: str


OPENED: Final = (
    # raspberrypi/linux rpi-6.6.y and rpi-6.12.y: bcm2711_defconfig, bcm2712_defconfig say what is built in (=y)
    Opened(
        "gpiozero",  # its lgpio factory: lgGpiochipOpen
        "/dev/gpiochip*",
        "gpiochip",
        None,
        "drivers/gpio/gpiolib.c: alloc_chrdev_region(..., GPIOCHIP_NAME) in a core_initcall; GPIOLIB=y",
    ),
    Opened(
        "libcamera",  # src/libcamera/device_enumerator*.cpp, media_device.cpp
        "/dev/media*",
        "media",
        "mc",
        "drivers/media/mc/mc-devnode.c: alloc_chrdev_region(..., MEDIA_NAME); MEDIA_SUPPORT=m",
    ),
    Opened(
        "libcamera",  # v4l2_videodevice.cpp, v4l2_subdevice.cpp
        "/dev/video*, /dev/v4l-subdev*",
        "video4linux",
        "videodev",
        "drivers/media/v4l2-core/v4l2-dev.c: register_chrdev_region(MKDEV(81, 0), ..., VIDEO_NAME); VIDEO_DEV=m",
    ),
    Opened(
        "picamera2",  # encoders/v4l2_encoder.py: the H.264 encoder of a Pi 4
        "/dev/video11",
        "video4linux",
        "videodev",
        "as above",
    ),
    Opened(
        "picamera2",  # dma_heap.py: vidbuf_cached, linux,cma
        "/dev/dma_heap/*",
        "dma_heap",
        None,
        "drivers/dma-buf/dma-heap.c: alloc_chrdev_region(..., DEVNAME) in a subsys_initcall; DMABUF_HEAPS=y",
    ),
    Opened(
        "sounddevice",  # PortAudio's ALSA host, alsa-lib's hw plug-in
        "/dev/snd/*",
        "alsa",
        "snd",
        'sound/core/sound.c: register_chrdev(major, "alsa", ...); SND=m',
    ),
    Opened("aplay", "/dev/snd/*", "alsa", "snd", "as above"),
)
NO_GROUPS: Final = frozenset({"vcio", "vchiq", "fuse", "watchdog0"})
"""Misc devices: they share the major number 10 with all others of that kind (drivers/char/misc.c), so /proc/devices has
no such name. raspberrypi/linux: drivers/char/broadcom/vcio.c (misc_register), vchiq_arm/vchiq_dev.c (vchiq_miscdev)."""
