// What frames told so far, by session: its object as it was last, and its windows in order.

const MAXIMAL_SEAMS = 20;
const CLOCKS = 32;

export class LiveStore {
    sessions = new Map();
    windows = new Map();
    seams = [];
    lag = { records: 0, millis: 0 };
    brokerErrors = 0;
    unreadable = 0;
    caughtUp = false;
    version = 0;
    /** How far the server's clock is ahead of the browser's: what the quickest of the last frames told. */
    ahead = 0;
    #clocks = [];
    /** The newest recording time that was told since it was taken last. */
    #newest = 0;

    apply(frame) {
        if (frame.type === 'history') {
            this.sessions.clear();
            this.windows.clear();
        }
        this.#clock(frame.now);
        if (this.seams.at(-1) !== frame.seam && frame.seam) this.#seam(frame.seam);
        this.lag = frame.lag ?? this.lag;
        this.brokerErrors = frame.brokerErrors ?? this.brokerErrors;
        this.unreadable = frame.unreadable ?? this.unreadable;
        this.caughtUp = frame.caughtUp ?? this.caughtUp;
        this.version = frame.version;
        for (const session of frame.sessions ?? []) {
            this.sessions.set(session.session, session);
            this.#newest = Math.max(this.#newest, session.newest ?? 0);
        }
        for (const window of frame.windows ?? []) this.#window(window);
    }

    /** What the server's clock says now; the browser's own may be seconds off. */
    time() {
        return Date.now() + this.ahead;
    }

    takeNewest() {
        const newest = this.#newest;
        this.#newest = 0;
        return newest;
    }

    of(session) {
        return this.windows.get(session) ?? [];
    }

    /** A frame that was long under way makes the server look late, so the largest difference is the nearest. */
    #clock(now) {
        if (!now) return;
        this.#clocks.push(now - Date.now());
        if (this.#clocks.length > CLOCKS) this.#clocks.shift();
        this.ahead = Math.max(...this.#clocks);
    }

    #seam(seam) {
        this.seams.push(seam);
        if (this.seams.length > MAXIMAL_SEAMS) this.seams.splice(1, 1);
    }

    /** A window replaces the one of its begin, and the finer ones that it covers. */
    #window(window) {
        if (!this.windows.has(window.session)) this.windows.set(window.session, []);
        const all = this.windows.get(window.session);
        const from = firstFrom(all, window.begin);
        let to = from;
        while (to < all.length && all[to].begin < window.begin + window.millis) to++;
        all.splice(from, to - from, window);
    }
}

/** The index of the first window that begins at a time or after it. */
export function firstFrom(windows, time) {
    let low = 0;
    let high = windows.length;
    while (low < high) {
        const middle = (low + high) >>> 1;
        if (windows[middle].begin < time) low = middle + 1;
        else high = middle;
    }
    return low;
}
