"""What tests do on a page, as its users do, and how they wait for what the page does then.

Nothing waits for a time: under load, a page may take any.
"""

from __future__ import annotations

# So many frames later all that was asked for is drawn: the page asks for a frame, its viewer for
# the next one.
_FRAMES = 5


def ask(page, tdp):
    """Ask for clusters with this TDP."""
    page.locator("#tdp").fill(str(tdp))
    page.locator("#tdp").press("Enter")


def at_crosshair(page):
    """Return what the page says of the place at the crosshair, by its terms."""
    terms, values = page.locator("#here dt"), page.locator("#here dd")
    return dict(zip(terms.all_inner_texts(), values.all_inner_texts(), strict=True))


def status(page):
    """Return what the page says last."""
    return page.locator("#status").inner_text()


def open_files(page, box, paths):
    """Choose files in a box, and return what the page says when it has read them."""
    page.evaluate("document.getElementById('files').open = true")
    page.locator(box).set_input_files(paths)
    page.evaluate("ari.opened")
    page.keyboard.press("Escape")
    return status(page)


def download(page, button, folder):
    """Press a button that gives a file, and return the file's path."""
    page.evaluate("document.getElementById('files').open = true")
    with page.expect_download() as waiting:
        page.locator(button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate(
        """n => new Promise((go) => {
            const next = () => (n-- > 0 ? requestAnimationFrame(next) : go());
            next();
        })""",
        _FRAMES,
    )


def picture(page):
    """Return the picture of the brain when it is drawn."""
    settle(page)
    return page.locator("#brain").screenshot()


def wait_until(page, condition):
    """Wait until a condition in JavaScript is true, for 20 s at most."""
    # The driver's own waiting needs eval, which the page forbids.
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{condition} has not come true")


def address(page):
    """Return the address when all that is shown is in it."""
    wait_until(page, "location.hash === ari.page.address")
    return page.evaluate("location.hash")
