package main

import (
	"context"
	"net/http"
)

// runReady asks whether clients can be sent to the gateway, for supervisors that have no other way to ask, as in a
// container without a shell.
func (c *statusCommand) runReady(ctx context.Context, std *stdio) error {
	answer, err := c.ask(ctx, adminQuestion{path: "/readyz"})
	if err != nil {
		return err
	}
	switch answer.status {
	case http.StatusOK:
		_, err = std.out.Write(answer.body)
		return err
	case http.StatusServiceUnavailable:
		return unsatisfied("the gateway at %s is not ready: %s", answer.host, harmless(answer.body))
	}
	return answer.notKnown()
}
