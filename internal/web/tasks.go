package web

import (
	"context"
	"sync"
)

// tasks owns the goroutines behind one Certificates: they start in its constructor, end when their context does, and
// stop waits for them.
type tasks struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newTasks() *tasks {
	t := new(tasks)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *tasks) run(f func(context.Context)) {
	t.wg.Go(func() { f(t.ctx) })
}

func (t *tasks) stop() {
	t.cancel()
	t.wg.Wait()
}
