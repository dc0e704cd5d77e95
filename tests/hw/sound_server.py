"""A real sound server for the microphone, private to a test: PulseAudio with a null sink, whose monitor is the street.

What is played into the sink is what the microphone behind `DEVICE` hears. No system bus, no hardware and no other
server of this machine is touched; it runs as root too.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from agent.hw.kit import BLOCK_SAMPLES
from tests.hw.sounds import ALSA_BASE

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = "street_mic"
"""PortAudio passes over ALSA devices that have the name of a type, "pulse" among them (io-lab section 1)."""
SOCKET = "pulse.sock"
SINK = ("module-null-sink", "sink_name=street", "rate=16000", "channels=1", "format=s16le")
RAW = ("--raw", "--format=s16le", "--rate=16000", "--channels=1", "--latency-msec=20")
NOISE_VOLUME = 10_000
"""Of 65,536, on a cubic scale: noise at full scale (-5 dBFS) comes down to -54 dBFS, a street at night."""
LIMIT_S = 60.0


class SoundServer:
    """PulseAudio, and somebody who makes noise on the street. The test's environment must be `environment`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._server: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """Where clients of this server find it, and nothing else."""
        if shutil.which("pulseaudio") is None or shutil.which("pacat") is None:
            pytest.skip("PulseAudio is missing, so its loss is NOT tested: apt install pulseaudio pulseaudio-utils")
        run = self._folder / "run"
        run.mkdir(mode=0o700)
        alsa = self._folder / "asound.conf"
        alsa.write_text(f'<{ALSA_BASE}>\npcm.{DEVICE} {{ type pulse device "street.monitor" }}\n', encoding="ascii")
        return {
            "HOME": str(self._folder),
            "XDG_RUNTIME_DIR": str(run),
            "PULSE_SERVER": f"unix:{self._folder / SOCKET}",
            "ALSA_CONFIG_PATH": str(alsa),
        }

    def begin(self) -> None:
        """Start the server and the noise; returns when it can be heard."""
        socket = self._folder / SOCKET
        socket.unlink(missing_ok=True)  # a killed server leaves it behind
        script = self._folder / "pulse.pa"
        script.write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={socket}\nload-module {' '.join(SINK)}\n",
            encoding="ascii",
        )
        alone = ("--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--log-level=error")
        self._server = self._start("pulseaudio", "-n", "-F", str(script), *alone)
        ends_s = time.monotonic() + LIMIT_S
        while subprocess.run(("pactl", "info"), capture_output=True, timeout=LIMIT_S, check=False).returncode:
            assert time.monotonic() < ends_s, "PulseAudio does not start"
        self._make_noise()

    def unplug(self) -> None:
        """Take the source away."""
        subprocess.run(("pactl", "unload-module", SINK[0]), timeout=LIMIT_S, check=True)

    def plug_in(self) -> None:
        """Bring it back, with the noise."""
        subprocess.run(("pactl", "load-module", *SINK), timeout=LIMIT_S, check=True, stdout=subprocess.DEVNULL)
        self._make_noise()

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._server is not None
        self._server.kill()
        self._server.wait(LIMIT_S)

    def freeze(self) -> None:
        """Let it stand still."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def say(self, wav: Path) -> None:
        """Speak this on the street, to its end."""
        subprocess.run(("paplay", "--device=street", wav), timeout=LIMIT_S, check=True)

    def end(self) -> None:
        """End all that was started here."""
        for process in self._processes:
            process.kill()  # a stopped process takes nothing less
            process.wait(LIMIT_S)

    def _make_noise(self) -> None:
        """A new sink is idle and wakes up late: returns when noise comes through it."""
        self._start("pacat", "--playback", "--device=street", f"--volume={NOISE_VOLUME}", *RAW, "/dev/urandom")
        ear = self._start("parec", "--device=street.monitor", *RAW, stdout=subprocess.PIPE)
        assert ear.stdout is not None
        with ear.stdout as sound:
            while not any(sound.read(2 * BLOCK_SAMPLES)):
                assert ear.poll() is None, "nothing can be heard"
        ear.kill()

    def _start(self, *command: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout)
        self._processes.append(process)
        return process
