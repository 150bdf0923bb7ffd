// The console: asks the gateway every other second, and shows what it answers.

import { askToken } from "./ask.js";
import { Gateway, Poll } from "./gateway.js";
import { Lists } from "./lists.js";
import { Overview } from "./overview.js";
import { Seen } from "./seen.js";

const by = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat([], { timeStyle: "medium" });

const gateway = new Gateway(askToken);
const overview = new Overview();
const lists = new Lists(gateway, () => statusPoll.now());
const seen = new Seen(() => seenPoll.now());
let answered = 0; // when the gateway last did, ms

const statusPoll = new Poll(async () => {
  const doc = await gateway.get(`status?${lists.query()}`);
  answered = Date.now();
  by("trouble").hidden = true;
  document.body.classList.remove("stale");
  pill(doc.draining ? "warn" : "good", doc.draining ? "Shutting down" : "Serving");
  by("version").textContent = doc.version.startsWith("mlesd") ? doc.version : `mlesd ${doc.version}`;
  overview.show(doc);
  lists.show(doc);
  seen.listening(doc);
}, 2_000, trouble);

const seenPoll = new Poll(async () => {
  seen.show(await gateway.get(seen.path()));
}, 30_000, () => {}); // the other one tells

by("trouble").querySelector("button").addEventListener("click", () => {
  gateway.forgive();
  statusPoll.now();
  seenPoll.now();
});

// trouble says that the gateway does not answer, or not to us.
function trouble(error, next) {
  const denied = error.status === 401;
  document.body.classList.add("stale");
  pill("bad", denied ? "Token needed" : error.status ? "Refuses" : "No answer");
  const since = answered ? ` since ${clock.format(answered)}` : "";
  const words = denied ? "This address wants the admin token."
    : error.status ? `The gateway answers: ${error.message}`
    : `The gateway has not answered${since}.`;
  by("trouble").querySelector("p").textContent = denied ? words : `${words} Next try at ${clock.format(next)}.`;
  by("trouble").querySelector("button").textContent = denied ? "Enter the token" : "Try now";
  by("trouble").hidden = false;
}

function pill(is, words) {
  if (by("state").textContent !== words) by("state").textContent = words;
  by("state").dataset.is = is;
}

statusPoll.now();
seenPoll.now();
