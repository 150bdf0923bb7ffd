// Package keep keeps the histories of a gateway's channels in files, so that they outlast
// it. A [Store] is what [bridge.Gateway.SaveHistories] fills and
// the source that Config.Restore reads.
//
// # In use
//
// [Open] takes the folder; [Store.Load] gives what is in it to a new gateway. [Store.Run]
// saves regularly what has changed, and once more when it is ended. [Store.Close] gives
// the folder to the next gateway.
//
// # On disk
//
// The folder holds 16 files journal-0 … journal-f, mode 0600; a channel is in the one that
// the CRC-32C of its name says, modulo 16. A journal begins with
//
//	"MLESHIST"  8 bytes
//	version     1 byte, 1
//
// and goes on with records:
//
//	mark        4 bytes, 0xd7 'R' 'e' 'c'
//	length      4 bytes, of the payload; all fixed numbers are big endian
//	checksum    4 bytes, CRC-32C of the length's bytes and the payload
//	payload
//
// The first record is the table of dialects, so that no number of the program's own
// stands in a file: kind 'T', then names, each behind its length. In all others stand, of
// one channel (uv: an unsigned varint; text: its length as uv, and bytes):
//
//	kind        1 byte: 'W' void what was before, 'C' change it, 'G' forget the channel
//	channel     text
//	            the rest is not in 'G'
//	last used   8 bytes, Unix nanoseconds
//	first       uv   lower-numbered events are void
//	first join  uv   lower-numbered empty joins are void
//	last        uv   the highest number that has been given
//	events      until the end of the payload
//
// and of an event
//
//	number      uv
//	flags       1 byte: 1 join, 2 opaque, 4 the message is a part of data
//	dialect     1 byte, place in the table
//	op          1 byte
//	key         8 bytes
//	uid         text
//	data        text
//	message     text; or, with flag 4, its offset in data and its length, uv each
//
// What has happened since the last save is appended and synced. When a journal has grown
// to twice what a fresh one would take, a fresh one takes its place, in one step: what is
// remembered, and nothing else. So it does at once after a purge.
//
// # What can go wrong
//
// A crash in the middle of a save leaves a torn record at the end: what is whole counts. A
// journal that is damaged elsewhere, of a later version, or not readable is set aside
// as journal-N.aside-TIME (the newest three of each are kept), and what can be read of it is used.
// Where saving fails, as on a full disk, the journals are cut back to what they were, the
// log says so once, and the next save tries it all again.
//
// One gateway at a time has the folder, by a lock on the file lock. Who finds it taken
// waits only for one that is about to end (its lock says so) or that it is to succeed.
package keep
