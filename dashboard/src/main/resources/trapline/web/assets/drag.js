// Picking a stretch of an x axis with the mouse: drag to pick, wheel to zoom, Shift and drag to move.

/**
 * `does`: `{ at(event) -> x, pick(from, to), zoom(factor, x), move(by), click?(x, event) }`, x in the axis' unit.
 * Returns what ends it.
 */
export function draggable(element, does) {
    const band = document.createElement('div');
    band.className = 'band';
    element.append(band);
    let start = null;

    const down = event => {
        if (event.button !== 0) return;
        start = { x: does.at(event), px: event.offsetX, clientX: event.clientX, moving: event.shiftKey, last: does.at(event) };
        addEventListener('pointermove', moved);
        addEventListener('pointerup', up);
    };
    const moved = event => {
        if (start.moving) return;
        const box = element.getBoundingClientRect();
        const [from, to] = [start.clientX - box.left, event.clientX - box.left].sort((a, b) => a - b);
        band.style.left = `${Math.max(0, from)}px`;
        band.style.width = `${Math.min(box.width, to) - Math.max(0, from)}px`;
        band.style.display = to - from > 4 ? 'block' : 'none';
    };
    const up = event => {
        removeEventListener('pointermove', moved);
        removeEventListener('pointerup', up);
        band.style.display = 'none';
        const begun = start;
        start = null;
        const x = does.at(event);
        if (Math.abs(event.clientX - begun.clientX) <= 4) does.click?.(x, event);
        else if (begun.moving) does.move(begun.x - x);
        else does.pick(Math.min(begun.x, x), Math.max(begun.x, x));
    };
    const wheel = event => {
        event.preventDefault();
        if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
            does.move(null, Math.sign(event.deltaX || event.deltaY) * 0.1);
        } else {
            does.zoom(event.deltaY > 0 ? 1.25 : 0.8, does.at(event));
        }
    };
    element.addEventListener('pointerdown', down);
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
        element.removeEventListener('pointerdown', down);
        element.removeEventListener('wheel', wheel);
        removeEventListener('pointermove', moved);
        removeEventListener('pointerup', up);
        band.remove();
    };
}
