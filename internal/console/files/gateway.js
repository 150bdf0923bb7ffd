// Asks the gateway, one thing at a time.

const timeout = 15_000; // ms
const tokenName = "mles-admin-token"; // in the tab's storage, and nowhere else

// Refused is an answer that is none.
export class Refused extends Error {
  constructor(status, text) {
    super(text || `status ${status}`);
    this.status = status;
  }
}

export class Gateway {
  #askToken;
  #last = Promise.resolve(); // the request before
  #declined = false; // somebody was asked for the token and gave none

  // askToken asks the person for the token and says why; null: there is none.
  constructor(askToken) { this.#askToken = askToken; }

  // get asks for JSON. When the token is needed the person is asked for it, once, until forgive.
  get(path) {
    return this.#inTurn(async () => (await this.#fetch("GET", path, () => !this.#declined)).json());
  }

  // act does something, with the token, which the person is asked for if need be.
  act(path) {
    return this.#inTurn(async () => (await this.#fetch("POST", path, () => true)).json());
  }

  // forgive has the person be asked again who did not want to give the token.
  forgive() { this.#declined = false; }

  #inTurn(f) {
    const turn = this.#last.then(f, f);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #fetch(method, path, mayAsk) {
    for (;;) {
      const headers = new Headers();
      const token = kept();
      if (token) headers.set("Authorization", `Bearer ${token}`);
      const answer = await fetch(path, { method, headers, cache: "no-store", signal: AbortSignal.timeout(timeout) });
      if (answer.ok) return answer;
      const text = (await answer.text()).trim();
      if (answer.status !== 401) throw new Refused(answer.status, text);
      if (token) keep(""); // it is not the token, or not any more
      if (!mayAsk()) throw new Refused(401, text);
      const given = await this.#askToken(text);
      this.#declined = given === null;
      if (this.#declined) throw new Refused(401, text);
      keep(given);
    }
  }
}

function kept() {
  try {
    return sessionStorage.getItem(tokenName);
  } catch {
    return keep.value;
  }
}

function keep(token) {
  keep.value = token;
  try {
    sessionStorage.setItem(tokenName, token);
  } catch { /* storage is off: as long as the page is there */ }
}

// Poll asks again and again while the page is seen, more seldom after errors.
export class Poll {
  #ask; #every; #failed;
  #timer = 0;
  #busy = false;
  #again = false; // asked for meanwhile
  #errors = 0;

  // ask returns a promise, every is in ms; failed is told the error and when it is tried again (ms since the epoch).
  constructor(ask, every, failed) {
    this.#ask = ask;
    this.#every = every;
    this.#failed = failed;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.now();
    });
  }

  // now asks at once, or, while it is asking, as soon as that has come to its end.
  async now() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#busy = true;
    let pause = this.#every;
    try {
      await this.#ask();
      this.#errors = 0;
    } catch (e) {
      pause = Math.max(this.#every, Math.min(30_000, 1_000 * 2 ** ++this.#errors)) * (0.85 + 0.3 * Math.random());
      this.#failed(e, Date.now() + pause);
    }
    this.#busy = false;
    if (this.#again) pause = 0;
    this.#again = false;
    if (!document.hidden) this.#timer = setTimeout(() => this.now(), pause);
  }
}
