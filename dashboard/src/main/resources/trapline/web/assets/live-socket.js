// The live connection: comes back by itself, and says what it is doing.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

export class LiveSocket {
    #path;
    #onFrame;
    #onStatus;
    #socket = null;
    #wait = FIRST_WAIT;
    #timer = 0;
    #closed = false;

    constructor(session, onFrame, onStatus) {
        this.#path = session ? `/api/live?session=${encodeURIComponent(session)}` : '/api/live';
        this.#onFrame = onFrame;
        this.#onStatus = onStatus;
        this.#open();
    }

    close() {
        this.#closed = true;
        clearTimeout(this.#timer);
        this.#socket?.close();
    }

    #open() {
        const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
        const socket = new WebSocket(`${scheme}://${location.host}${this.#path}`);
        this.#socket = socket;
        socket.onmessage = message => {
            this.#wait = FIRST_WAIT;
            this.#told({ state: 'connected' });
            this.#onFrame(JSON.parse(message.data));
        };
        socket.onclose = event => this.#lost(event);
        socket.onerror = () => {};
    }

    #lost(event) {
        if (this.#closed) return;
        const at = Date.now() + this.#wait;
        this.#told({ state: 'lost', why: event.reason || 'the connection to trapline serve is lost', again: at });
        this.#timer = setTimeout(() => this.#open(), this.#wait);
        this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
    }

    #told(status) {
        if (!this.#closed) this.#onStatus(status);
    }
}
