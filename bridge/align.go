package bridge

import "crypto/sha256"

// A digest stands for a frame: two frames with the same digest are the same.
type digest [16]byte

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

// remembered is how many digests of each direction a memory keeps.
const remembered = 2048

// A memory is what has gone over the uplinks of one peering, oldest first, each
// direction in the order the server has seen it.
type memory struct{ up, down []digest }

// sent notes a frame that was sent up.
func (m *memory) sent(d digest) { m.up = keepLast(m.up, d) }

// received notes a frame that came from the server.
func (m *memory) received(d digest) { m.down = keepLast(m.down, d) }

func keepLast(list []digest, d digest) []digest {
	if len(list) >= 2*remembered {
		list = append(list[:0], list[len(list)-remembered:]...)
	}
	return append(list, d)
}

// knows says whether a frame like that has gone either way.
func (m *memory) knows(d digest) bool {
	for _, list := range [][]digest{m.up, m.down} {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i] == d {
				return true
			}
		}
	}
	return false
}

// align says which frames of a replay are new: a placeholder that goes by
// single digests, until the alignment by the longest overlap is there.
func (m *memory) align(replay []digest) (isNew []bool) {
	isNew = make([]bool, len(replay))
	for i, d := range replay {
		isNew[i] = !m.knows(d)
	}
	return isNew
}
