// Channels, members and what the gateway says of itself, as tables.

import { confirm, tell } from "./ask.js";
import { ago, bytes, count, date, dialects, plural, rate } from "./format.js";
import { Pages, Table } from "./table.js";

const by = (id) => document.getElementById(id);
const names = ["v1", "v1ws", "v2"];
const perPage = 25;

const speaks = (label = "Speaks") => ({
  label, text: (x) => dialects[x.dialect] ?? x.dialect, mark: (x) => `mark hue-${x.dialect}`,
});
const number = (label, value, format = count) => ({
  label, kind: "num", text: (x) => format(value(x)), mark: (x) => value(x) ? "" : "zero",
});
const when = (label, value, now, kind = "time") => ({
  label, kind, text: (x) => ago(value(x), now()) || "never", title: (x) => value(x) ? date(value(x)) : "",
});
const name = (label, value, kind, otherwise) => ({
  label, kind: `name ${kind}`, text: (x) => value(x) || otherwise, title: value, mark: (x) => value(x) ? "" : "zero",
});

// Lists are the tables that one status fills. changed is called when another part of it is wanted.
export class Lists {
  #gateway; #changed;
  #now = 0; // the gateway's time, ms
  #filter = {};
  #channels; #members; #upstreams; #listeners; #certificates; #refusals;
  #channelPages; #memberPages; #upstreamPages;
  #began = null; // counts of refusals when the page was opened: { started, counts }

  constructor(gateway, changed) {
    this.#gateway = gateway;
    this.#changed = changed;
    const now = () => this.#now;
    this.#channels = new Table(by("channellist"), [
      { ...name("Channel", (c) => c.name, "lead", "(no name)"), act: (c) => this.only({ channel: c.name }), mark: () => "link" },
      ...names.map((d) => number(dialects[d], (c) => c.members[d] ?? 0)),
      number("History", (c) => c.history_events),
      { ...number("Size", (c) => c.history_bytes, bytes) },
      when("Last used", (c) => c.last_used, now),
      { label: "", kind: "acts", text: () => "Forget history", act: (c) => this.#purge(c), acts: (c) => c.history_events > 0, mark: () => "quiet" },
    ], (c) => c.name, "No channel has members or history.");
    this.#members = new Table(by("memberlist"), [
      name("Member", (m) => m.uid, "lead", "(no name)"),
      speaks(),
      { ...name("Channel", (m) => m.called || m.channel, "broad", "(no name)"), act: (m) => this.only({ channel: m.channel }), mark: () => "link" },
      { label: "Address", kind: "time broad", text: (m) => m.address ?? "" },
      { label: "Key", text: keyed, mark: (m) => m.key === "none" ? "zero" : "" },
      when("Joined", (m) => m.since, now),
      when("Last spoke", (m) => m.last_message, now),
      number("In", (m) => m.messages_in),
      number("Out", (m) => m.messages_out),
      { ...number("Behind", (m) => m.lag_bytes, bytes), mark: (m) => m.lag_bytes > 1 << 20 ? "warn" : m.lag_bytes ? "" : "zero" },
      { label: "", kind: "acts", text: () => "Kick", act: (m) => this.#kick(m), mark: () => "quiet" },
    ], (m) => [m.dialect, m.channel, m.uid, m.address, m.since].join("\0"), "Nobody is here.");
    this.#upstreams = new Table(by("upstreams"), [
      name("Server", (u) => u.url, "lead", ""),
      name("Channel", (u) => u.channel, "broad", "(no name)"),
      { label: "State", kind: "broad", text: (u) => u.reason && u.state !== "running" ? `${u.state}: ${u.reason}` : u.state, mark: stateOf, title: (u) => u.reason ?? "" },
      when("Since", (u) => u.since, now),
      number("Up", (u) => u.messages_up),
      number("Down", (u) => u.messages_down),
    ], (u) => u.url + "\0" + u.channel, "The gateway is no client of another server.");
    this.#listeners = new Table(by("listeners"), [
      { label: "Flag", kind: "lead", text: (l) => l.flag },
      { label: "Address", kind: "time broad", text: (l) => l.address },
      { label: "TLS", text: (l) => l.tls ? "yes" : "no", mark: (l) => l.tls ? "" : "zero" },
    ], (l) => l.flag + l.address, "None is open.");
    this.#certificates = new Table(by("certificates"), [
      name("Name", (c) => c.domain, "lead", "(any)"),
      { label: "From", text: (c) => c.source ?? "nowhere yet" },
      { label: "Expires", kind: "time broad", text: (c) => expiry(c, this.#now), title: (c) => date(c.not_after), mark: (c) => expiring(c, this.#now) },
      { label: "Trouble", kind: "broad", text: (c) => c.problem ?? "none", mark: (c) => c.problem ? "bad" : "zero", title: (c) => c.problem_at ? date(c.problem_at) : "" },
    ], (c) => c.domain, "No listener uses TLS.");
    this.#refusals = new Table(by("refusals"), [
      { label: "Reason", kind: "lead", text: (r) => r.reason },
      { label: "What", text: (r) => r.what },
      number("Since the start", (r) => r.count),
      { ...number("Since you look", (r) => r.fresh), mark: (r) => r.fresh ? "warn" : "zero" },
    ], (r) => r.what + r.reason, "Nobody was refused or closed since the start.");
    this.#channelPages = new Pages(by("channelpages"), changed);
    this.#memberPages = new Pages(by("memberpages"), changed);
    this.#upstreamPages = new Pages(by("upstreampages"), changed);
    by("filter").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#filtered();
    });
    by("filter").addEventListener("reset", () => setTimeout(() => this.#filtered()));
    by("fdialect").addEventListener("change", () => this.#filtered());
  }

  // query is what to ask for the part that is wanted.
  query() {
    const q = new URLSearchParams({ limit: perPage });
    for (const [key, value] of Object.entries(this.#filter)) if (value) q.set(key, value);
    for (const [key, pages] of [["channels_after", this.#channelPages], ["members_after", this.#memberPages], ["upstreams_after", this.#upstreamPages]]) {
      if (pages.after) q.set(key, pages.after);
    }
    return q;
  }

  // only shows one channel and its members.
  only({ channel }) {
    by("fchannel").value = channel;
    by("fuid").value = by("fdialect").value = "";
    this.#filtered();
    by("filter").scrollIntoView({ block: "start" });
  }

  #filtered() {
    this.#filter = { channel: by("fchannel").value, uid: by("fuid").value, dialect: by("fdialect").value };
    for (const pages of [this.#channelPages, this.#memberPages, this.#upstreamPages]) pages.reset();
    this.#changed();
  }

  show(doc) {
    this.#now = Date.parse(doc.now);
    const { stats } = doc;
    this.#channels.show(doc.channels);
    this.#channelPages.show(doc.channels_next, this.#filter.channel || this.#filter.dialect ? "" : `${count(stats.channels)} in all`);
    this.#members.show(doc.members);
    const filtered = Object.values(this.#filter).some(Boolean);
    this.#memberPages.show(doc.members_next, filtered ? "" : `${count(stats.members)} in all`);
    this.#upstreams.show(doc.upstreams);
    this.#upstreamPages.show(doc.upstreams_next, "");
    this.#listeners.show(doc.listeners);
    this.#certificates.show(doc.certificates ?? []);
    this.#refusals.show(this.#refused(doc));
  }

  // refused are all refusals, cuts and revocations, with what has come since the page was opened, most first.
  #refused({ started, stats }) {
    const all = [["refusals", "refused"], ["cuts", "cut"], ["revoked", "no longer allowed"]].flatMap(([key, what]) =>
      Object.entries(stats[key]).map(([reason, n]) => ({ what, reason, count: n })));
    all.push({ what: "refused", reason: "TLS handshake failed", count: stats.tls_handshakes_failed });
    if (this.#began?.started !== started) {
      const counts = this.#began ? {} : Object.fromEntries(all.map((r) => [r.what + r.reason, r.count]));
      this.#began = { started, counts };
    }
    for (const r of all) r.fresh = r.count - (this.#began.counts[r.what + r.reason] ?? 0);
    return all.filter((r) => r.count).sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  }

  async #kick(m) {
    const who = m.uid || "somebody without a name";
    if (!await confirm(`Kick ${who}?`, `The connection from ${m.address || "an unknown address"} to ${m.channel || "the channel without a name"} is closed. Most programs come back at once; only a changed key keeps somebody out.`, "Kick")) return;
    const q = new URLSearchParams({ channel: m.channel, dialect: m.dialect });
    if (m.uid) q.set("uid", m.uid);
    if (m.address) q.set("addr", m.address);
    await this.#do(`kick?${q}`, ({ closed }) => closed ? `${who} was kicked.` : `${who} was gone already.`);
  }

  async #purge(c) {
    const channel = c.name || "the channel without a name";
    if (!await confirm(`Forget the history of ${channel}?`, `${plural(c.history_events, "event", "events")}, ${bytes(c.history_bytes)}. Members stay; who joins from now on is not sent them. This cannot be taken back.`, "Forget")) return;
    await this.#do(`purge?${new URLSearchParams({ channel: c.name })}`, ({ events }) => `${plural(events, "event", "events")} of ${channel} forgotten.`);
  }

  // do asks the gateway to do something; done says what its answer means.
  async #do(path, done) {
    try {
      tell(done(await this.#gateway.act(path)));
    } catch (e) {
      tell(`That did not work: ${e.message}`);
    }
    this.#changed();
  }
}

function keyed({ key, key_line }) { return key === "shared" && key_line ? `line ${key_line}` : key; }

const stateOf = ({ state }) => ({ running: "good", refused: "bad", waiting: "warn" })[state] ?? "";

function expiry({ not_after }, now) {
  const days = (Date.parse(not_after) - now) / 86_400_000;
  if (!Number.isFinite(days)) return "there is none yet";
  return days < 0 ? "expired" : days < 2 ? `in ${rate(days * 24)} h` : `in ${plural(Math.floor(days), "day", "days")}`;
}

function expiring({ not_after }, now) {
  const days = (Date.parse(not_after) - now) / 86_400_000;
  return !Number.isFinite(days) || days < 2 ? "bad" : days < 14 ? "warn" : "";
}
