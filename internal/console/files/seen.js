// Who uses v1, and whether it can be turned off.

import { ago, count, date, dialects, plural } from "./format.js";
import { Pages, Table } from "./table.js";

const by = (id) => document.getElementById(id);
const perPage = 10;
const spans = { 24: "day", 168: "week", 720: "30 days", 2160: "90 days", 8760: "year" };

export class Seen {
  #now = 0; #table; #pages;
  #served = true;

  // changed is called when something else is wanted.
  constructor(changed) {
    this.#table = new Table(by("visitors"), [
      { label: "Client", kind: "name lead", text: (v) => v.uid || "(no name)", title: (v) => v.uid, mark: (v) => v.uid ? "" : "zero" },
      { label: "Speaks", text: (v) => dialects[v.dialect] ?? v.dialect, mark: (v) => `mark hue-${v.dialect}` },
      { label: "Channel", kind: "name broad", text: (v) => v.channel || "(no name)", title: (v) => v.channel, mark: (v) => v.channel ? "" : "zero" },
      { label: "Address", kind: "time broad", text: (v) => v.address ?? "" },
      { label: "Key", text: (v) => v.key === "shared" && v.key_line ? `line ${v.key_line}` : v.key, mark: (v) => v.key === "none" ? "zero" : "" },
      { label: "Last seen", kind: "time", text: (v) => v.present ? "here now" : ago(v.last, this.#now), title: (v) => date(v.last), mark: (v) => v.present ? "warn" : "" },
    ], (v) => [v.dialect, v.uid, v.channel, v.address].join("\0"), "");
    this.#pages = new Pages(by("visitorpages"), changed);
    by("period").addEventListener("change", () => {
      this.#pages.reset();
      changed();
    });
  }

  // path is what to ask.
  path() {
    const q = new URLSearchParams({ for: `${by("period").value}h`, limit: perPage });
    q.append("dialect", "v1");
    q.append("dialect", "v1ws");
    if (this.#pages.after) q.set("after", this.#pages.after);
    return `status/seen?${q}`;
  }

  // listening notes whether v1 is served at all.
  listening({ listeners }) {
    this.#served = listeners.some(({ flag }) => flag.startsWith("--v1-"));
  }

  show(doc) {
    this.#now = Date.parse(doc.now);
    const period = spans[by("period").value];
    const here = ["v1", "v1ws"].reduce((n, d) => n + (doc.seen.dialects?.[d]?.present ?? 0), 0);
    const [words, is, because] = {
      used: ["Not yet", "warn", `${plural(doc.clients, "client has", "clients have")} used v1 within the last ${period}` +
        presence(here, doc.clients)],
      unused: this.#served ? ["Yes", "good", `Nobody has used v1 within the last ${period}. --v1-listen off turns it off.`]
        : ["It is off", "good", `Nobody has used v1 within the last ${period}.`],
      unknown: ["It cannot be told yet", "", `Nobody is known to have used v1 within the last ${period}, but ${doc.reason}.`],
    }[doc.answer];
    by("answer").textContent = words;
    by("answer").dataset.is = is;
    by("because").textContent = because + (doc.seen.problem ? ` The record does not outlast the gateway: ${doc.seen.problem}.` : "");
    this.#table.show(doc.visitors);
    by("visitors").hidden = doc.visitors.length === 0;
    this.#pages.show(doc.next, plural(doc.clients, "client", "clients"));
  }
}

// presence is how many of the clients are here.
function presence(here, clients) {
  if (here === 0) return "; nobody of them is here now.";
  if (here >= clients) return clients === 1 ? ", and is here now." : ", and all of them are here now.";
  return `; ${count(here)} of them ${here === 1 ? "is" : "are"} here now.`;
}
