package bridge

import "time"

// challengeTime is how long the holder of an identity has to show that it lives
// when somebody else claims it.
const challengeTime = 3 * time.Second

// holder is a connection that can be asked whether its client still lives.
type holder interface {
	// challenge begins to ask, unless somebody else is asking.
	challenge() (begun bool)
	// alive waits for the answer and ends the challenge.
	alive() bool
}
