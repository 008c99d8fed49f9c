"""Firefox on a screen that no one sees, driven by its own protocol: it needs no driver."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from pathlib import Path

# Graphics without a graphics card, a free port, and no pages of its own.
_PREFERENCES = {
    "marionette.port": 0,
    "webgl.force-enabled": True,
    "webgl.disabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.disabledForTesting": True,
}
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# Keys as WebDriver names them.
KEYS = {"Enter": "\ue007", "ArrowDown": "\ue015", "ArrowRight": "\ue014", "ArrowUp": "\ue013"}


def _screen(width: int, height: int) -> tuple[subprocess.Popen, str]:
    """Return a screen that no one sees, and its name."""
    ours, theirs = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(theirs), "-screen", "0", f"{width}x{height}x24"],
        pass_fds=[theirs],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        return screen, f":{pipe.readline().strip()}"


class FirefoxError(Exception):
    """What Firefox answers when something did not work."""


class Firefox:
    """A window of Firefox.

    Parameters
    ----------
    path : str
        The program.

    folder : Path
        An empty folder for its profile.
    """

    def __init__(self, path: str, folder: Path, *, width: int = 1366, height: int = 768) -> None:
        self.folder = folder
        lines = [
            f'user_pref("{name}", {json.dumps(value)});' for name, value in _PREFERENCES.items()
        ]
        (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
        # Without a screen there is no WebGL.
        self._screen, display = _screen(width, height)
        self._process = subprocess.Popen(
            [
                path, "--marionette", "--remote-allow-system-access", "--no-remote",
                "--profile", str(folder),
            ],
            env={
                **os.environ,
                "HOME": str(folder),
                "DISPLAY": display,
                "LIBGL_ALWAYS_SOFTWARE": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._last = 0
        self._socket = socket.create_connection(("127.0.0.1", self._port()), timeout=120)
        self._read()  # which protocol it speaks
        self._ask("WebDriver:NewSession", acceptInsecureCerts=False)
        self._ask("WebDriver:SetTimeouts", script=100_000, pageLoad=100_000)
        self._ask("WebDriver:SetWindowRect", width=width, height=height)

    def _port(self) -> int:
        file = self.folder / "MarionetteActivePort"
        for _ in range(600):
            if file.exists() and (text := file.read_text(encoding="utf-8").strip()):
                return int(text)
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise FirefoxError("Firefox does not start")

    def _read(self):
        length = b""
        while (byte := self._socket.recv(1)) != b":":
            if not byte:
                raise FirefoxError("Firefox has ended")
            length += byte
        message = b""
        while len(message) < int(length):
            message += self._socket.recv(int(length) - len(message))
        return json.loads(message)

    def _ask(self, command: str, **parameters):
        self._last += 1
        message = json.dumps([0, self._last, command, parameters]).encode()
        self._socket.sendall(f"{len(message)}:".encode() + message)
        _, _, error, answer = self._read()
        if error is not None:
            raise FirefoxError(f"{error['error']}: {error['message']}")
        return answer.get("value") if isinstance(answer, dict) else answer

    def close(self) -> None:
        """End it."""
        try:
            self._ask("Marionette:Quit", flags=["eForceQuit"])
        except (FirefoxError, OSError):
            self._process.terminate()
        self._socket.close()
        self._process.wait(timeout=60)
        self._screen.terminate()
        self._screen.wait(timeout=60)

    def open(self, path: Path, state: str = "") -> None:
        """Open a page to explore a map with, and wait until it works."""
        # A change of what is behind "#" alone loads nothing.
        self._ask("WebDriver:Navigate", url="about:blank")
        self._forget_problems()
        self._ask("WebDriver:Navigate", url=path.as_uri() + state)
        self.wait_for("ari.started.then(() => true)")

    def evaluate(self, expression: str):
        """Return the value of an expression in the page."""
        return self._ask("WebDriver:ExecuteScript", script=f"return {expression}", args=[])

    def wait_for(self, expression: str):
        """Return what a promise in the page gives in the end."""
        script = (
            "const done = arguments[arguments.length - 1];"
            f"Promise.resolve({expression}).then((value) => done([value]),"
            " (error) => done(String(error)))"
        )
        answer = self._ask("WebDriver:ExecuteAsyncScript", script=script, args=[])
        if isinstance(answer, str):
            raise FirefoxError(answer)
        return answer[0]

    def _element(self, selector: str) -> str:
        found = self._ask("WebDriver:FindElement", using="css selector", value=selector)
        return found[_ELEMENT]

    def click(self, selector: str) -> None:
        """Click an element."""
        self._ask("WebDriver:ElementClick", id=self._element(selector))

    def click_at(self, x: float, y: float) -> None:
        """Click a place in the window."""
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "origin": "viewport"}
        actions = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def press(self, key: str) -> None:
        """Press a key, where the focus is."""
        value = KEYS.get(key, key)
        actions = [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": actions})

    def _act(self, source) -> None:
        self._ask("WebDriver:PerformActions", actions=[source])
        self._ask("WebDriver:ReleaseActions")

    def type(self, selector: str, text: str) -> None:
        """Replace what is in a box, and press Enter."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        for key in [*text, "Enter"]:
            self.press(key)

    def text(self, selector: str) -> str:
        """Return what is read on an element."""
        return self._ask("WebDriver:GetElementText", id=self._element(selector))

    def screenshot(self) -> bytes:
        """Return a picture of the window, as PNG."""
        return base64.b64decode(self._ask("WebDriver:TakeScreenshot", full=False))

    def _in_browser(self, script: str):
        self._ask("Marionette:SetContext", value="chrome")
        try:
            return self._ask("WebDriver:ExecuteScript", script=script, args=[])
        finally:
            self._ask("Marionette:SetContext", value="content")

    def _forget_problems(self) -> None:
        self._in_browser("Services.console.reset()")

    def problems(self) -> list[str]:
        """Return the errors and warnings of pages since one was opened: scripts, policy, styles."""
        return self._in_browser(
            """return Services.console.getMessageArray()
            .filter((m) => m instanceof Ci.nsIScriptError && m.sourceName.startsWith("file:"))
            .map((m) => `${m.category}: ${m.errorMessage}`)"""
        )
