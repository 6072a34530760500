package volumeapi

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Hints are the scheduler hints of a request, with the volumes and the instance
// replaced by where they are.
type Hints struct {
	SameHost      []string // pools of the volumes of same_host
	DifferentHost []string // pools of the volumes of different_host
	// InstanceHost is the compute host of the instance of local_to_instance.
	InstanceHost string
	Query        string // JSON text
}

func (h Hints) apply(r *cinder.Request) {
	r.SameAs, r.DifferentFrom, r.Query = h.SameHost, h.DifferentHost, h.Query
	r.InstanceHost = h.InstanceHost
}

// HintNames are the scheduler hints that Cinder's filters read.
func HintNames() []string {
	return []string{"same_host", "different_host", "local_to_instance", "query"}
}

// Volumes finds existing volumes. Any goroutine may call it.
type Volumes interface {
	// Host returns the pool of a volume, host@backend#pool, by the volume's id.
	Host(ctx context.Context, id string) (string, error)
}

// HintReader reads hints that name backends, pools or volumes.
type HintReader struct {
	Backends []capability.Report
	Volumes  Volumes // nil if volumes cannot be found by their id
}

// Read reads one hint into h. A hint that is given several times has several values.
func (r HintReader) Read(ctx context.Context, h *Hints, name, value string) error {
	switch name {
	case "same_host":
		return r.addPool(ctx, &h.SameHost, value)
	case "different_host":
		return r.addPool(ctx, &h.DifferentHost, value)
	case "local_to_instance":
		if isID(value) {
			return errors.New("give the compute host of the instance, OS-EXT-SRV-ATTR:host of openstack server show, in place of its id")
		}
		h.InstanceHost = value
		return nil
	case "query":
		h.Query = value
		return nil
	}
	return fmt.Errorf("there is no filter of Cinder that reads the hint %q; there are %s", name, strings.Join(HintNames(), ", "))
}

func (r HintReader) addPool(ctx context.Context, pools *[]string, value string) error {
	id, err := r.pool(ctx, value)
	if err == nil && !slices.Contains(*pools, id) {
		*pools = append(*pools, id)
	}
	return err
}

func (r HintReader) pool(ctx context.Context, value string) (string, error) {
	if !isID(value) {
		b, err := Backend(r.Backends, value)
		if err != nil {
			return "", err
		}
		return cinder.PoolID(b), nil
	}
	if r.Volumes == nil {
		return "", fmt.Errorf("%s is the id of a volume, which only the API can find: add --os-cloud, or give the volume's os-vol-host-attr:host in its place", value)
	}
	host, err := r.Volumes.Host(ctx, value)
	if err != nil {
		return "", fmt.Errorf("find the volume %s: %w", value, err)
	}
	return host, nil
}

// Backend finds a backend by its section, host@section, cluster@section or pool.
func Backend(reports []capability.Report, name string) (*capability.Report, error) {
	var found []*capability.Report
	var names []string
	for i := range reports {
		r := &reports[i]
		if cinder.PoolID(r) == name || r.Identity() == name || r.Host == name {
			return r, nil
		}
		if r.Name() == name {
			found = append(found, r)
		}
		names = append(names, r.Name())
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("there is no backend %q; there are %s", name, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("%d backends have the name %q: write host@backend, such as %s", len(found), name, found[0].Identity())
}

var idPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$`)

// isID reports whether a text is the id of a volume or an instance.
func isID(text string) bool { return idPattern.MatchString(text) }
