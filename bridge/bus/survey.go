package bus

import "slices"

// surveyStep is how many members are looked at under one lock.
const surveyStep = 64

// Survey calls visit with what each member has done and has yet to do, but for those that joined quietly, and returns
// how many events all channels together remember. No channel is held up for longer than it takes to look at few of
// its members, and no lock is held while visit runs. Who joins or leaves meanwhile may be missed.
func (b *Bus) Survey(visit func(Dialect, Usage)) (history Traffic) {
	var seen [surveyStep]struct {
		dialect Dialect
		usage   Usage
	}
	for c := range b.Channels() {
		history.Messages += c.History.Messages
		history.Bytes += c.History.Bytes
		for some := range slices.Chunk(c.Members, surveyStep) {
			found := seen[:0]
			mu := &some[0].ch.mu
			mu.Lock()
			for _, m := range some {
				if u, present := m.usage(); present {
					found = append(found, struct {
						dialect Dialect
						usage   Usage
					}{m.dialect, u})
				}
			}
			mu.Unlock()
			for i := range found {
				visit(found[i].dialect, found[i].usage)
			}
		}
	}
	return history
}
