"""The leak police itself: each kind of leak fails the test that left it, and a clean test passes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

LEAKS = {
    "tasks": "async def test_it(): KEPT.append(asyncio.create_task(asyncio.sleep(60)))",
    "timers": "async def test_it(): asyncio.get_running_loop().call_later(60, print)",
    "threads": "def test_it(): threading.Thread(target=STOP.wait, args=(8,), daemon=True).start()",
    "child processes": "def test_it(): KEPT.append(subprocess.Popen(['sleep', '8']))",
    "sockets": "def test_it(): KEPT.append(socket.socket())",
}
IMPORTS = "import asyncio, socket, subprocess, threading\nKEPT = []\nSTOP = threading.Event()\n"


def run_with_police(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    conftest = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest.replace("SETTLE_S = 30.0", "SETTLE_S = 0.3"))
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(IMPORTS + test)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider")


@pytest.mark.parametrize("kind", LEAKS)
def test_what_a_test_leaves_behind_fails_it(pytester: pytest.Pytester, kind: str) -> None:
    result = run_with_police(pytester, LEAKS[kind])
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*left behind*{kind}*"])


def test_a_clean_test_passes(pytester: pytest.Pytester) -> None:
    run_with_police(pytester, "async def test_it(): await asyncio.sleep(0)").assert_outcomes(passed=1)
