// Paints at most a few times a second, only what was asked for, and nothing while the tab is hidden.

const INTERVAL = 250;
const KEPT_DELAYS = 10_000;

window.traplineDelays = [];

export class Painter {
    #paint;
    #last = 0;
    #wanted = false;
    #timer = 0;
    #ended = false;
    #shown = () => {
        if (!document.hidden && this.#wanted) this.#soon();
    };

    /** `paint` draws, and answers what is now on the screen: `{ version, newest, ahead }`, or nothing. */
    constructor(paint) {
        this.#paint = paint;
        document.addEventListener('visibilitychange', this.#shown);
    }

    want() {
        this.#wanted = true;
        if (!document.hidden) this.#soon();
    }

    now() {
        this.#last = 0;
        clearTimeout(this.#timer);
        this.#timer = 0;
        this.want();
    }

    end() {
        this.#ended = true;
        clearTimeout(this.#timer);
        document.removeEventListener('visibilitychange', this.#shown);
    }

    #soon() {
        if (this.#timer || this.#ended) return;
        const wait = Math.max(0, this.#last + INTERVAL - performance.now());
        this.#timer = setTimeout(() => requestAnimationFrame(() => this.#run()), wait);
    }

    #run() {
        this.#timer = 0;
        if (this.#ended || !this.#wanted) return;
        this.#wanted = false;
        this.#last = performance.now();
        const painted = this.#paint();
        if (painted) requestAnimationFrame(() => requestAnimationFrame(() => told(painted)));
    }
}

/** For measurements: what was on the screen last, and how old the newest exit of each painting was, by the server's clock. */
function told({ version, newest, ahead }) {
    const paintedAt = Date.now() + ahead;
    window.traplinePainted = { version, newest, paintedAt };
    if (!newest) return;
    window.traplineDelays.push(paintedAt - newest);
    if (window.traplineDelays.length > KEPT_DELAYS) window.traplineDelays.shift();
}
