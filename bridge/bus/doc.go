// Package bus carries events between the members of channels: who is there, in
// which order things happened, what is remembered, and what becomes of those
// who cannot keep up. It knows bytes and numbers of dialects, and no protocol.
//
// # Tour
//
// [New] starts a [Bus] with a [Codec], which writes an [Event] down in each
// [Dialect]. [Bus.Join] makes a [Member] of a channel for a [Sink], the
// connection behind it. [Member.Publish] puts events on the channel. When there
// is something to write, the sink is woken and calls [Member.Next] until it has
// it all. [Member.Leave] ends it. A member that stands for no one who arrives, such as
// a link to another channel or server, joins with [Join.Quiet]. One that goes to
// another channel is a [Join.Relay], too: while nobody hears it there, its own channel
// is not kept for it, nor does it count as a reader.
//
// # A log and cursors
//
// A channel keeps one append-only log for each dialect that has members, already
// encoded, in chunks. A member is a cursor into its dialect's log: delivery is
// writing the bytes between cursor and head, with no copy and no allocation per
// member, and a member that fell behind catches up in few large writes. Its own
// messages are left out by splitting around them; the log notes who sent what
// once for each run of one sender. A chunk is dropped when no cursor needs it
// any more, and a log whose members are all at the head holds none.
//
// History is apart from the logs: a list of immutable events, which are encoded
// anew for whoever joins. A joiner's snapshot of it, its place in the log and
// its own arrival are taken under the channel's lock, so that nothing is missing
// or doubled between history and live traffic.
//
// Histories can be kept outside the process: [Bus.Save] gives a [Store] what has changed
// since it was last called, [Bus.Restore] puts back what was saved. Each event in a
// history has a number of its own for that, and a channel knows which one was saved last.
//
// # What is promised
//
//   - What one member publishes reaches each other member in that order, and so
//     does what all of them publish reach members of one dialect: a channel's
//     lock is the one place where order is given out.
//   - Nothing is dropped in the middle of a subscription. A member either gets
//     everything from its join on, or loses its subscription with a [Reason].
//   - A member that stops reading costs the others nothing until the publisher
//     has no other reader left; see below.
//
// # Backpressure
//
// Lag is the bytes between a member's cursor and the head, the index of senders
// included.
//
//   - A publisher is made to wait when the most advanced member other than
//     itself is 8 MiB behind, until that one is 4 MiB behind.
//   - A member whose lag is over 64 MiB, and its oldest undelivered byte older
//     than 30 s, is cut ([TooSlow]).
//   - When a publisher waits and no member but itself has moved for 30 s, those
//     who stand still are cut ([Stalled]).
//   - One [Budget] bounds the memory of all. Near it, the histories unused for
//     longest are forgotten; over it, publishers wait for a moment, and then the
//     members with the largest lag are cut ([OverMemory]).
//
// # Bounds of the history
//
// Events and bytes a channel are limited ([Config]). An empty join replaces the
// same one stored before, and empty joins fill at most half of the limit, so
// that a flapping device cannot push out what was said.
package bus
