// A member of a channel over as many connections as it takes.

import { maxMessage, parse, line } from "./frame.js";
import { Tail } from "./replay.js";
import { auth } from "./siphash.js";

const connectTime = 10_000; // ms, for one attempt to connect
const replayPause = 300; // nothing for so long: the replay is over
const replayTime = 3_000; // or it has taken so long
const settled = 4_000; // who was not refused by then has been let in
const lasting = 30_000; // after a connection that held so long the pauses are short again
const unsureTime = 10_000; // what was written so shortly before a loss may not have arrived
const stuckTime = 45_000; // nothing of what was written has gone for so long: the connection is dead
const shortest = 1_000, longest = 30_000; // pauses
const refusalsMax = 10; // in a row, of one who has been in: a dead twin may hold the place

// Refusals (1008) that are no verdict on who joins: come again.
const passing = new Set(["too slow", "no pong", "replaced", "no hello in time"]);

// Session joins as { url, protocols, uid, channel, key } says, and tells `on`:
//   state(name, { why, until, … })   connecting, joined (what was replayed has been told), waiting (until: ms since the
//                   epoch), ended (reason: of the close frame, unreachable: nobody answered); why: words
//   events(list, { replayed, again })   each { arrival } | { text } | { bytes }, every one once
//   sent(line)      a waiting line has been written
//   unsure(lines)   these may not have arrived
export class Session {
  #who; #on;
  #socket = null; // the one that is current
  #tail = new Tail();
  #arrived = new Set(); // names told of already
  #queue = []; // lines that wait for a connection
  #written = []; // lines written of late: { line, digest, at }
  #unsure = []; // lines to look for in the next replay
  #everIn = false; // something was heard, or not refused for long: who is refused now has a twin that will go
  #settled = false; // a connection came to the end of its replay: who was there cannot be told from a server that is gone
  #refusals = 0;
  #found = new Set(); // digests of the last replay
  #pause = shortest;
  #timer = 0;
  #ended = false;
  #tried = 0; // when the last attempt began

  constructor(who, on) {
    this.#who = who;
    this.#on = on;
  }

  start() { this.#connect(); }

  // send writes a line, or keeps it for the next connection. It throws if no frame holds it.
  send(text) {
    const data = line(text);
    if (data.length > maxMessage) throw new RangeError("too long for one message");
    const one = { data, waiting: true };
    if (this.#socket?.readyState === WebSocket.OPEN) this.#write(one);
    else this.#queue.push(one);
    return one;
  }

  // hurry ends a pause: the network is back, or somebody looks.
  hurry() {
    if (this.#timer && Date.now() - this.#tried >= shortest) this.#connect();
  }

  leave() {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#tried = Date.now();
    this.#on.state("connecting", {});
    new Connection(this.#who, {
      opened: (socket) => this.#opened(socket),
      replayed: (frames) => this.#replayed(frames),
      heard: (data) => this.#heard([data], false),
      closed: (end) => this.#closed(end),
    });
  }

  #opened(socket) {
    if (this.#ended) {
      socket.close(1000);
      return;
    }
    this.#socket = socket;
    for (const one of this.#queue.splice(0)) this.#write(one);
  }

  #write(one) {
    this.#socket.send(one.data);
    one.waiting = false;
    const digest = this.#tail.digest(one.data);
    this.#tail.said(digest);
    const now = Date.now();
    if (this.#written.length > 256) this.#written = this.#written.filter((w) => now - w.at < unsureTime);
    this.#written.push({ line: one, digest, at: now });
    this.#on.sent(one);
  }

  // replayed takes what came at the beginning of a connection.
  #replayed(frames) {
    if (this.#ended || !this.#socket) return;
    this.#heard(frames, true);
    this.#settled = true;
    this.#on.state("joined", {});
    const lost = this.#unsure.filter((w) => !this.#found.delete(w.digest)).map((w) => w.line);
    this.#unsure = [];
    if (lost.length) this.#on.unsure(lost);
  }

  #heard(frames, replayed) {
    let events = frames.map((data) => ({ ...parse(data, this.#who.channel), data }));
    if (replayed) {
      const said = events.filter((e) => e.arrival === undefined);
      const digests = said.map((e) => this.#tail.digest(e.data));
      this.#found = new Set(digests);
      const known = this.#tail.known(digests);
      const from = known ? events.indexOf(said[known - 1]) + 1 : 0;
      const again = this.#everIn;
      events = events.slice(from).filter((e) => !(again && e.arrival !== undefined && this.#arrived.has(e.arrival)));
    }
    for (const e of events) {
      if (e.arrival === undefined) this.#tail.saw(this.#tail.digest(e.data));
      else this.#arrived.add(e.arrival);
    }
    const again = this.#everIn;
    if (frames.length) this.#everIn = true; // who hears anything was let in
    events = events.filter((e) => e.arrival !== this.#who.uid);
    if (events.length) this.#on.events(events, { replayed, again });
  }

  #closed({ socket, code, reason, opened, heard, lived }) {
    if (this.#ended) return;
    this.#socket = null;
    const refused = code === 1008 && !passing.has(reason);
    if (!refused && opened && (heard || lived >= settled)) {
      this.#everIn = true;
      this.#refusals = 0;
    }
    if (lived >= lasting) this.#pause = shortest;
    this.#doubt(socket, refused && !heard);
    const final = refused && (reason !== "already joined" || !this.#everIn || ++this.#refusals >= refusalsMax);
    const why = this.#words(code, reason, opened);
    if (final || (!opened && !this.#settled)) {
      this.#ended = true;
      this.#on.state("ended", { why, reason, unreachable: !opened });
      return;
    }
    const pause = this.#pause * (0.7 + 0.6 * Math.random());
    this.#pause = Math.min(longest, this.#pause * 2);
    this.#timer = setTimeout(() => this.#connect(), pause);
    this.#on.state("waiting", { why, until: Date.now() + pause });
  }

  // doubt sorts what was written before a loss: if the connection was refused, nobody has it; if not, what was written
  // last, or has not left the browser, is looked for in the next replay.
  #doubt(socket, refused) {
    const since = Date.now() - unsureTime;
    const late = this.#written.filter((w) => w.at >= (socket.stuck ?? since));
    this.#written = [];
    if (!refused) {
      this.#unsure.push(...late);
      return;
    }
    for (const { line: one } of late) one.waiting = true;
    this.#queue.unshift(...late.map((w) => w.line));
  }

  #words(code, reason, opened) {
    if (code === 1001) return "The gateway is shutting down or restarting.";
    if (code === 1008 && reason === "wrong auth") {
      return this.#who.key ? "The gateway refuses this key." : "The gateway wants a key.";
    }
    if (code === 1008 && reason === "already joined") return `Somebody is on this channel as “${this.#who.uid}” already.`;
    if (code === 1008 && reason === "channel not allowed") return "The gateway lets nobody join this channel from here.";
    if (code === 1008 && reason === "kicked") return "You were removed from the channel.";
    if (code === 1009) return "The gateway ended the connection: a message was too long.";
    if (code === 1013) return "The gateway has no room at the moment.";
    if (code === 1008) return `The gateway ended the connection: ${reason || "no reason given"}.`;
    return opened ? "The connection was lost." : "The gateway cannot be reached.";
  }
}

// Connection is one WebSocket, from its beginning to its end.
class Connection {
  #replay = []; // null once it is over
  #began = Date.now();
  #opened = false;
  #heard = false;
  #over = false;

  constructor({ url, protocols, uid, channel, key }, on) {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    const late = setTimeout(() => socket.close(), connectTime);
    let quiet = 0, whole = 0, stuck = 0;
    const replayOver = () => {
      if (!this.#replay) return;
      clearTimeout(quiet);
      clearTimeout(whole);
      const frames = this.#replay;
      this.#replay = null;
      on.replayed(frames);
    };
    socket.addEventListener("open", () => {
      clearTimeout(late);
      this.#opened = true;
      const hello = key ? { uid, channel, auth: auth(uid, channel, key) } : { uid, channel };
      socket.send(JSON.stringify(hello));
      quiet = setTimeout(replayOver, 2 * replayPause); // and the way there and back
      whole = setTimeout(replayOver, replayTime);
      stuck = watch(socket);
      on.opened(socket);
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.#over) return;
      this.#heard = true;
      if (!this.#replay) {
        on.heard(data);
        return;
      }
      this.#replay.push(data);
      clearTimeout(quiet);
      quiet = setTimeout(replayOver, replayPause);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      clearTimeout(late);
      clearInterval(stuck);
      if (this.#heard) replayOver();
      clearTimeout(quiet);
      clearTimeout(whole);
      this.#over = true;
      on.closed({ socket, code, reason, opened: this.#opened, heard: this.#heard, lived: Date.now() - this.#began });
    }, { once: true });
  }
}

// watch closes a socket that takes nothing of what is written to it, and notes since when: nothing else tells a page
// that the other side has gone without a word.
function watch(socket) {
  let before = 0;
  let since = Date.now();
  return setInterval(() => {
    const left = socket.bufferedAmount;
    if (left === 0 || left < before) since = Date.now();
    before = left;
    if (Date.now() - since < stuckTime) return;
    socket.stuck = since;
    socket.close();
    // The closing handshake is with somebody who is not there: the browser may wait for it, the session does not.
    socket.dispatchEvent(new CloseEvent("close", { code: 1006 }));
  }, 5_000);
}
