package flasharray

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

const (
	// volumePage is how many volumes one response has: half a megabyte.
	volumePage = 500
	// maxVolumePages is how many pages are read: no array has as many volumes.
	maxVolumePages = 400
)

// VolumeSpace returns the bytes that each volume uses alone, without snapshots and without
// what deduplication shares, by its name on the array; of Evergreen//One these are
// effective bytes (REST 2 volumes, space.unique). Destroyed volumes are left out, and so
// are volumes for which the array returns no number. It reads every volume, which a
// sample never does: two seconds for 20,000 volumes. Any goroutine may call it.
func (c *Client) VolumeSpace(ctx context.Context) (map[string]int64, error) {
	space := map[string]int64{}
	query := url.Values{"destroyed": {"false"}, "limit": {strconv.Itoa(volumePage)}}
	batch := newBatch()
	for range maxVolumePages {
		var warnings []error
		r, err := c.get(ctx, batch, "volumes", query)
		if err != nil {
			return nil, err
		}
		p, err := parsePage(r.body, "volumes", &warnings)
		if err = errors.Join(append(warnings, err)...); err != nil {
			return nil, r.wrap(err)
		}
		for _, o := range p.items {
			if unique := o.object("space").int("unique"); unique != nil {
				space[o.text("name")] = *unique
			}
		}
		next := member[string](p.object, "continuation_token", "is not a string")
		if next == "" {
			return space, nil
		}
		query.Set("continuation_token", next)
	}
	return nil, fmt.Errorf("array %s has more than %d volumes", c.host, volumePage*maxVolumePages)
}
