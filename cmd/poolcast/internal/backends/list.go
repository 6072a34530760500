package backends

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/publisher"
)

// retryPause is the time before a list in which a backend is missing is requested
// again: a scheduler that has just started lists little, and does not wait for reports
// (cinder/scheduler/manager.py, get_pools).
const retryPause = 2 * time.Second

// RequestFunc requests the list of a scheduler, as [publisher.Pools] does.
type RequestFunc func(context.Context) (*publisher.SchedulerPools, error)

// RequestList requests the list, and once more after a pause if one of the wanted
// identities is missing in it. An error of the second request is ignored.
func RequestList(ctx context.Context, request RequestFunc, wanted []string) (*publisher.SchedulerPools, error) {
	list, err := request(ctx)
	if err != nil || len(list.Pools) > 0 && len(Missing(list.Pools, wanted)) == 0 {
		return list, err
	}
	select {
	case <-ctx.Done():
		return list, nil
	case <-time.After(retryPause):
	}
	if again, err := request(ctx); err == nil {
		return again, nil
	}
	return list, nil
}

// ListProgress begins the progress of [RequestList].
func ListProgress(ctx context.Context, screen *text.Screen) *text.Progress {
	return screen.Begin(ctx, "requesting the scheduler's list of backends on the bus", text.AtMost(2*publisher.PoolsTimeout+retryPause))
}

// Missing are the identities that a list does not have.
func Missing(pools []publisher.SchedulerPool, identities []string) []string {
	listed := map[string]bool{}
	for _, p := range pools {
		identity, _, _ := strings.Cut(p.Name, "#")
		listed[identity] = true
	}
	return slices.DeleteFunc(slices.Clone(identities), func(i string) bool { return listed[i] })
}

// errNothingListed is the error of an empty list.
var errNothingListed = errors.New("the scheduler lists no backend: none has reported since it started, or all are disabled, frozen or down")
