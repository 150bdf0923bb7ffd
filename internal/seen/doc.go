// Package seen remembers who used which dialect and when, so that an operator can tell
// whether the old one can be turned off. It is a [bridge.Witness].
//
// A [Store] holds one entry for each dialect, uid, channel and address: first and last
// time, and the key that let it in. Somebody who is there counts as seen now. What is
// kept, and what for how long, is bounded whatever names clients choose: see
// [MaxEntries]. Where entries have to go it is those unseen for longest, and of each
// dialect apart, so that nobody's flood in v2 hides who used v1. Whether a dialect has
// been used at all, and when last, is never dropped.
//
// # On disk
//
// The folder holds seen.journal, mode 0600: lines of JSON, each behind its CRC-32C. What
// has changed is appended and synced every [Interval], and the file is replaced by a
// short one, in one step, when it has grown. A crash loses what came after the last
// append and nothing before it. A line cut off at the end is passed over; a file that is
// damaged elsewhere is set aside as seen.journal.damaged, the lines that are whole are
// taken over, and the record counts as begun anew.
//
// One gateway at a time has the folder, by a lock on seen.lock. Another one, or one that
// cannot write there, goes on in memory and tries again every Interval.
//
// # What the record is worth
//
// [Status.Since] is when recording began. A gateway that is not running is used by
// nobody, so that a stop that was written down leaves no gap. Where the record breaks off
// without one, and goes on more than 10 minutes later, nobody can tell whether the
// gateway ran meanwhile: that is a [Gap]. So is the time by which the clock is set
// forward while the gateway runs.
package seen
