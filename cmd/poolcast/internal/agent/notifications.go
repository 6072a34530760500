package agent

import (
	"context"
	"reflect"
	"sync"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/publisher"
)

// notificationRunner runs the listener for failed creates while explain_failures is
// set, one at a time, and replaces it when its settings change.
type notificationRunner struct {
	onFailure func(publisher.Failure)

	mu      sync.Mutex
	options publisher.FailureOptions
	now     *publisher.FailureListener // nil while explain_failures is not set
	stop    context.CancelFunc
	changed chan struct{} // sent to when there is a listener after there was none
}

// listening is a listener to be used, with its settings; nil if there is to be none.
type listening struct {
	listener *publisher.FailureListener
	options  publisher.FailureOptions
}

func newNotificationRunner(runtime *setup.Runtime, onFailure func(publisher.Failure)) (*notificationRunner, error) {
	r := &notificationRunner{onFailure: onFailure, changed: make(chan struct{}, 1)}
	l, err := r.prepare(runtime, runtime.Setup)
	r.use(l)
	return r, err
}

// prepare makes a listener for a configuration. If the one that runs can go on, it is
// that one.
func (r *notificationRunner) prepare(runtime *setup.Runtime, s setup.Setup) (listening, error) {
	if !s.Config.Agent.ExplainFailures {
		return listening{}, nil
	}
	o := setup.FailureOptions(s.Config, runtime.Log)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil && sameNotifications(r.options, o) {
		return listening{r.now, r.options}, nil
	}
	l, err := publisher.NewFailureListener(o, r.onFailure)
	return listening{l, o}, err
}

// use replaces the listener with one that was prepared.
func (r *notificationRunner) use(l listening) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.listener == r.now {
		return
	}
	r.now, r.options = l.listener, l.options
	if r.stop != nil {
		r.stop()
	}
	notify(r.changed)
}

// run runs listeners until ctx ends.
func (r *notificationRunner) run(ctx context.Context) {
	for ctx.Err() == nil {
		running, stop := context.WithCancel(ctx)
		r.mu.Lock()
		l := r.now
		r.stop = stop
		r.mu.Unlock()
		if l != nil {
			l.Run(running)
		} else {
			select {
			case <-running.Done():
			case <-r.changed:
			}
		}
		stop()
	}
}

// status is that of the listener that runs, and whether there is one.
func (r *notificationRunner) status() (publisher.FailureStatus, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil {
		return publisher.FailureStatus{}, false
	}
	return r.now.Status(), true
}

// sameNotifications compares the settings that a listener has for its life.
func sameNotifications(a, b publisher.FailureOptions) bool {
	a.Options, b.Options = withoutIntervals(a.Options), withoutIntervals(b.Options)
	return reflect.DeepEqual(a, b)
}
