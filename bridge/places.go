package bridge

import (
	"sync/atomic"

	"mles/bridge/bus"
)

const (
	// placeCost is about what a v1 WebSocket takes in bytes for each channel but its
	// first, which is in connectionCost, if that is a channel of its own.
	placeCost = 2 << 10
	// linkedPlaceCost is the same where channels are linked to their masked twins.
	linkedPlaceCost = placeCost + maskLinkCost + 2<<10
)

// places bounds the channels that v1 WebSockets are on besides their first ones: as
// with connections, if they could take all of the budget, there would be nothing to free
// by cutting anybody.
type places struct {
	budget *bus.Budget
	most   int64 // in an eighth of the budget

	taken atomic.Int64
}

func newPlaces(b *bus.Budget, linked bool) *places {
	cost := int64(placeCost)
	if linked {
		cost = linkedPlaceCost
	}
	return &places{budget: b, most: max(1, b.Limit()/8/cost)}
}

// take says whether there is one more, which is given back later.
func (p *places) take() bool {
	if p.taken.Add(1) > p.most {
		p.taken.Add(-1)
		return false
	}
	p.budget.Add(placeCost)
	return true
}

func (p *places) giveBack(n int) {
	p.taken.Add(-int64(n))
	p.budget.Add(-int64(n) * placeCost)
}
