package bridge

import (
	"fmt"
	"slices"

	"mles/v2"
)

// A Scope says what a shared key opens. The zero value opens everything.
type Scope struct {
	// Channels are patterns (see [CheckGlob]) of the channels that the key opens;
	// none: all.
	Channels []string
	// Dialects are those in which the key holds, "v1" and "v2" as in [Stats]; none:
	// both. One that does not hold in a dialect opens nothing there, but it is a key:
	// the dialect needs one, even if none of its keys holds.
	Dialects []string
}

// IsZero says whether the key opens everything.
func (s Scope) IsZero() bool { return len(s.Channels) == 0 && len(s.Dialects) == 0 }

// Check says what is wrong with s.
func (s Scope) Check() error {
	for _, dialect := range s.Dialects {
		switch dialect {
		case "v1", "v2":
		case "v1ws":
			return fmt.Errorf("dialect %q knows no key: whoever connects gets in", dialect)
		default:
			return fmt.Errorf("dialect %q: want v1 or v2", dialect)
		}
	}
	for _, pattern := range s.Channels {
		if err := CheckGlob(pattern); err != nil {
			return fmt.Errorf("channels: %w", err)
		}
	}
	return nil
}

func (s Scope) equal(other Scope) bool {
	return slices.Equal(s.Channels, other.Channels) && slices.Equal(s.Dialects, other.Dialects)
}

// holds says whether the key holds in a dialect.
func (s Scope) holds(dialect string) bool {
	return len(s.Dialects) == 0 || slices.Contains(s.Dialects, dialect)
}

// Why a key that is one of the accepted ones does not let somebody in. The client is
// told what it would be of a wrong one.
const (
	reasonScope   = "key does not open channel"
	reasonDialect = "key does not open dialect"
)

// outOfScope is the refusal of somebody with the key k, for the log.
func outOfScope(k sharedKey, uid, channel string) *refusal {
	reason := reasonScope
	if !k.holds {
		reason = reasonDialect
	}
	return &refusal{reason, fmt.Errorf("key of line %d, uid %q, channel %q", k.line, uid, channel)}
}

// told is what a WebSocket's close frame gives as the reason: whose key opens something
// else learns no more than whose key is wrong.
func (r *refusal) told() string {
	if r.reason == reasonScope || r.reason == reasonDialect {
		return v2.ReasonAuth
	}
	return r.reason
}
