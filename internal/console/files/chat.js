// The chat page: its form, the conversation, and what is said about the connection.

import { Log, sent, unsure, waits } from "./log.js";
import { Session } from "./session.js";

const by = (id) => document.getElementById(id);
const join = by("join"), talk = by("talk"), text = by("text"), state = by("state");
const log = new Log(by("log"), by("empty"), by("down"));

let session = null;
let who = null; // { uid, channel, … } of session
let unread = 0;
let joined = false; // session has been in
let lost = false; // and is not now
let rows = new Map(); // of lines that may still change
let countdown = 0;

prefill();
join.addEventListener("submit", (e) => {
  e.preventDefault();
  begin();
});
by("leave").addEventListener("click", leave);
by("composer").addEventListener("submit", (e) => {
  e.preventDefault();
  say();
});
text.addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  say();
});
addEventListener("online", () => session?.hurry());
addEventListener("hashchange", prefill);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  session?.hurry();
  unread = 0;
  title();
});

// prefill takes names from #channel=…&uid=…, and the name that was used last.
function prefill() {
  if (session) return;
  const wanted = new URLSearchParams(location.hash.slice(1));
  by("channel").value = wanted.get("channel") ?? by("channel").value;
  by("uid").value = wanted.get("uid") ?? (by("uid").value || remembered("mles-uid"));
  const first = [by("channel"), by("uid")].find((input) => !input.value) ?? by("enter");
  first.focus();
}

function remembered(name, store = "localStorage") {
  try {
    return window[store].getItem(name) ?? "";
  } catch {
    return ""; // storage is off
  }
}

function remember(name, value, store = "localStorage") {
  try {
    window[store].setItem(name, value);
  } catch { /* storage is off */ }
}

function begin() {
  if (session) return;
  const uid = by("uid").value, channel = by("channel").value, key = by("key").value;
  const token = by("token").value || remembered("mles-admin-token", "sessionStorage");
  const tooLong = [["channel", channel], ["name", uid]].find(([, name]) => new TextEncoder().encode(name).length > 1024);
  if (tooLong) {
    problem(`That ${tooLong[0]} is too long: 1,024 bytes at most.`);
    return;
  }
  problem("");
  by("enter").disabled = true;
  by("enter").textContent = "Joining …";
  who = { url: address(), protocols: ["mles-websocket"], uid, channel, key };
  if (token) who.protocols.push("mles-admin-token." + base64url(token));
  joined = lost = false;
  rows = new Map();
  log.clear();
  session = new Session(who, { state: changed, events: heard, sent: gone, unsure: doubtful });
  session.start();
}

// address of the WebSocket beside this page.
function address() {
  const url = new URL("chat/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  return url.href;
}

function base64url(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function changed(name, { why, until, reason, unreachable }) {
  clearInterval(countdown);
  show();
  switch (name) {
    case "connecting":
      pill(joined ? "warn" : "", "Connecting …");
      break;
    case "joined":
      pill("good", "Connected");
      if (!joined) enter();
      back();
      break;
    case "waiting":
      if (joined && !lost) log.note(`${why} What you write is sent when it is back.`);
      lost = joined;
      tick(until);
      countdown = setInterval(() => tick(until), 1_000);
      break;
    case "ended":
      ended(why, reason, unreachable);
  }
}

function tick(until) {
  const left = Math.max(1, Math.round((until - Date.now()) / 1_000));
  pill("warn", joined ? "Reconnecting" : "Trying again", ` in ${left} s`);
}

// pill says how the connection is; a screen reader does not count the seconds.
function pill(is, words, seconds = "") {
  state.hidden = false;
  state.dataset.is = is;
  const [said, unsaid] = state.children;
  if (said.textContent !== words) said.textContent = words;
  unsaid.textContent = seconds;
}

// enter shows the conversation.
function enter() {
  joined = true;
  remember("mles-uid", who.uid);
  if (by("token").value) remember("mles-admin-token", by("token").value, "sessionStorage");
  history.replaceState(null, "", "#" + new URLSearchParams({ channel: who.channel, uid: who.uid }));
  join.hidden = true;
  talk.hidden = by("leave").hidden = false;
  log.began();
  title();
  text.focus();
  log.toEnd();
}

async function ended(why, reason, unreachable) {
  const status = unreachable ? await answered() : 0;
  const unsent = [...rows.keys()].filter((line) => line.waiting).map((line) => line.words);
  leave();
  text.value = [...unsent, text.value].filter(Boolean).join("\n");
  if (status === 401 || status === 403) {
    by("tokenrow").hidden = status === 403;
    problem(status === 403 ? "The gateway does not let this page connect." : "This address asks for the admin token.");
    if (status === 401) by("token").focus();
    return;
  }
  problem(why);
  if (reason === "wrong auth") by("key").select();
  if (reason === "already joined") by("uid").select();
}

// answered is the status that the WebSocket's address answers with, which a WebSocket does not tell; 0: none.
async function answered() {
  const headers = new Headers();
  const token = by("token").value || remembered("mles-admin-token", "sessionStorage");
  try {
    if (token) headers.set("Authorization", `Bearer ${token}`);
    return (await fetch("chat/ws", { headers, cache: "no-store", signal: AbortSignal.timeout(5_000) })).status;
  } catch {
    return 0;
  }
}

function leave() {
  clearInterval(countdown);
  show();
  session?.leave();
  session = null;
  unread = 0;
  state.hidden = true;
  by("enter").disabled = false;
  by("enter").textContent = "Join";
  talk.hidden = by("leave").hidden = true;
  join.hidden = false;
  problem("");
  title();
  by("enter").focus();
}

function problem(words) { by("problem").textContent = words; }

// back notes that a lost connection is there again, before what was missed.
function back() {
  if (lost) log.note("Connected again");
  lost = false;
}

// In a flood what is heard is shown in lots: a page that lays itself out for every message would be cut for its lag.
const lot = 40; // ms
let pending = [];
let showing = 0;

function show() {
  clearTimeout(showing);
  showing = 0;
  if (pending.length) log.events(pending, new Date());
  pending = [];
}

function heard(events, { replayed, again }) {
  if (replayed) {
    back();
    log.busy(true);
    log.events(events, again ? new Date() : null);
    log.busy(false);
  } else {
    pending.push(...events);
    if (pending.length > 2_000) pending.splice(0, pending.length - 2_000); // no more are kept in the log
    showing ||= setTimeout(show, lot);
  }
  if (document.hidden && (again || !replayed)) {
    unread += events.filter((e) => e.arrival === undefined).length;
    title();
  }
}

function say() {
  const words = text.value.replace(/^\s*\n|\s+$/g, "");
  if (!words || !session) return;
  if (send(words)) text.value = "";
  text.focus();
}

// send sends a line and shows it.
function send(words) {
  let line;
  try {
    line = session.send(words);
  } catch (e) {
    log.note(`Not sent: ${e.message}.`);
    return false;
  }
  show();
  const row = log.mine(words, new Date(), line.waiting);
  line.words = words;
  rows.set(line, row);
  if (line.waiting) waits(row);
  if (rows.size > 500) rows.delete(rows.keys().next().value);
  return true;
}

function gone(line) {
  const row = rows.get(line);
  if (row) sent(row, new Date());
}

function doubtful(lines) {
  for (const line of lines) {
    const row = rows.get(line);
    if (row) unsure(row, () => send(line.words));
  }
}

// title names the channel, and counts what has not been seen.
function title() {
  const heading = by("title");
  heading.textContent = session && joined ? who.channel : "Mles chat";
  if (session && joined) {
    const name = document.createElement("small");
    name.append(" as ", Object.assign(document.createElement("bdi"), { textContent: who.uid }));
    heading.append(name);
  }
  const count = unread ? `(${unread > 99 ? "99+" : unread}) ` : "";
  document.title = session && joined ? `${count}${who.channel} · Mles chat` : "Mles chat";
}
