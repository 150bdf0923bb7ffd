package keep

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

const (
	magic   = "MLESHIST"
	version = 1
)

// recordMark begins each record, so that those behind a damage are found.
var recordMark = [4]byte{0xd7, 'R', 'e', 'c'}

const recordHead = 12

// The kinds of records.
const (
	kindTable  = 'T'
	kindWhole  = 'W'
	kindChange = 'C'
	kindGone   = 'G'
)

// The flags of events.
const (
	flagJoin = 1 << iota
	flagOpaque
	flagInside // Message is a part of Data
	allFlags   = flagJoin | flagOpaque | flagInside
)

// maxPayload is more than any record takes: one event whose data and message are apart,
// 16 MiB each, with names.
const maxPayload = 40 << 20

// fullRecord is how many bytes of events go into a record, unless one has more.
const fullRecord = 256 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The errors of what is read.
var (
	errRecord  = errors.New("a record is damaged")
	errPayload = errors.New("a record does not decode")
	errDialect = errors.New("an event is in a dialect that is not known here")
)

// parseRecord returns the first record's payload, and the size of it all. The error is
// errRecord where none begins there that is whole.
func parseRecord(b []byte) (payload []byte, size int, err error) {
	if len(b) < recordHead || !bytes.Equal(b[:4], recordMark[:]) {
		return nil, 0, errRecord
	}
	n := int(binary.BigEndian.Uint32(b[4:]))
	if n > maxPayload || n > len(b)-recordHead || n == 0 {
		return nil, 0, errRecord
	}
	payload = b[recordHead : recordHead+n]
	if crc32.Update(crc32.Checksum(b[4:8], castagnoli), castagnoli, payload) != binary.BigEndian.Uint32(b[8:]) {
		return nil, 0, errRecord
	}
	return payload, recordHead + n, nil
}
