// The messages of a conversation. Whatever comes from others is put in as text.

import { element } from "./element.js";
import { describe } from "./frame.js";

const kept = 2_000; // rows; older ones go
const clock = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });

export class Log {
  #list; #empty; #down;
  #last = ""; // the class of the last row
  #day = calendar.format(new Date());

  // list holds the rows, empty stands in it while there are none, down is a button to its end.
  constructor(list, empty, down) {
    this.#list = list;
    this.#empty = empty;
    this.#down = down;
    down.addEventListener("click", () => {
      this.toEnd();
      list.focus({ preventScroll: true });
    });
    list.addEventListener("scroll", () => {
      if (this.#atEnd()) down.hidden = true;
    });
    new ResizeObserver(() => {
      if (down.hidden) this.toEnd(); // the window or the composer has another size
    }).observe(list);
  }

  clear() {
    this.#list.replaceChildren(this.#empty);
    this.#empty.hidden = false;
    this.#last = "";
    this.#down.hidden = true;
  }

  toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#down.hidden = true;
  }

  // busy keeps a screen reader from reading out what is put in meanwhile.
  busy(is) { this.#list.setAttribute("aria-busy", is); }

  // events shows what others said, at a time, or, if that is null, some time before now.
  events(events, time) {
    const rows = events.map((e) => e.arrival === undefined ? this.#message("theirs", e, time) : this.#arrival(e.arrival));
    this.#add(rows, false);
  }

  // mine shows an own line and returns its row.
  mine(text, time, waiting) {
    const row = this.#message("mine", { text }, time);
    row.classList.toggle("waiting", waiting);
    this.#add([row], true);
    return row;
  }

  // began notes where what was said before ends.
  began() {
    if (this.#empty.hidden) this.note(`You joined at ${clock.format(new Date())}`);
  }

  note(text) { this.#add([this.#rule(text)], false); }

  #message(whose, { text, bytes }, time) {
    const row = element("div", `row ${whose}`);
    const bubble = element("div", "bubble");
    bubble.append(element("span", "unseen", whose === "mine" ? "You: " : "Somebody: "));
    if (bytes) row.classList.add("bytes");
    bubble.append(element("div", "text", bytes ? describe(bytes) : text || " "));
    if (time) {
      const when = element("time", "", clock.format(time));
      when.dateTime = time.toISOString();
      when.title = time.toLocaleString();
      bubble.append(when);
    }
    row.append(bubble);
    return row;
  }

  #arrival(uid) {
    const note = element("p", "note");
    note.append(element("bdi", "", uid || "somebody without a name"), " joined");
    return note;
  }

  #rule(text) { return element("p", "note rule", text); }

  // add puts rows at the end, which stays in view if it was, or if it must be.
  #add(rows, show) {
    const follow = show || this.#atEnd();
    rows = rows.slice(-kept);
    this.#empty.hidden = true;
    const today = calendar.format(new Date());
    if (today !== this.#day) {
      this.#day = today;
      rows.unshift(this.#rule(today));
    }
    for (const row of rows) {
      const kind = row.classList.contains("mine") ? "mine" : row.classList.contains("theirs") ? "theirs" : "";
      row.classList.toggle("close", kind !== "" && kind === this.#last);
      this.#last = kind;
    }
    this.#list.append(...rows);
    while (this.#list.children.length > kept) this.#list.children[1].remove(); // [0] is empty
    if (follow) this.toEnd();
    else this.#down.hidden = false;
  }

  #atEnd() { return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 60; }
}

// sent notes that a line has gone, at a time.
export function sent(row, time) {
  row.classList.remove("waiting");
  row.querySelector(".fate")?.remove();
  const when = row.querySelector("time");
  when.textContent = clock.format(time);
  when.dateTime = time.toISOString();
}

// waits says that a line has not gone yet.
export function waits(row) { fate(row, "Waiting for the connection"); }

// unsure says that a line may be lost, and offers to send it again.
export function unsure(row, again) {
  const button = element("button", "", "Send again");
  button.type = "button";
  button.addEventListener("click", () => {
    row.querySelector(".fate").remove();
    again();
  });
  fate(row, "May not have arrived").append(button);
}

function fate(row, text) {
  row.querySelector(".fate")?.remove();
  const line = element("div", "fate", text);
  row.append(line);
  return line;
}
