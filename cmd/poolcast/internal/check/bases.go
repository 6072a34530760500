package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
)

// Bases are base reports, by the backend's identity.
type Bases struct {
	sets map[string]capability.Set
	// partial sets have a few keys only: those that the openstack client lists.
	partial bool
	// backends are the states of those that were received on the bus.
	backends map[string]publisher.BackendStatus
}

// ParseBases reads the forms that poolcast diff --help lists: a list of rows, an
// object with pools, or an object by host.
func ParseBases(data []byte) (*Bases, error) {
	if data = bytes.TrimSpace(data); len(data) == 0 {
		return nil, errors.New("it is empty")
	}
	if data[0] == '[' {
		return parseRows(data)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	if pools, ok := object["pools"]; ok && len(object) == 1 {
		return parseRows(pools)
	}
	bases := &Bases{sets: map[string]capability.Set{}}
	for name, raw := range object {
		if err := bases.add(name, raw); err != nil {
			return nil, err
		}
		if err := bases.refuseOverlay(name); err != nil {
			return nil, err
		}
	}
	return bases, bases.check()
}

// refuseOverlay refuses a report that an agent has published. The scheduler's list has
// overlays, and their measured keys are not cinder-volume's. A dry run is not refused:
// it is compared with the one after a change.
func (b *Bases) refuseOverlay(name string) error {
	identity, _, _ := strings.Cut(name, "#")
	if _, marked := b.sets[identity][capability.KeyMetricsAgent]; marked {
		return fmt.Errorf("%s is an overlay that poolcast has published (metrics_agent), and not a report of cinder-volume: leave --base out to receive those on the bus", identity)
	}
	return nil
}

// baseRow is an entry of a dry run, of the API's pools, or of the openstack
// client's table.
type baseRow struct {
	Host         string          `json:"host"`
	Cluster      *string         `json:"cluster"`
	Name         string          `json:"name"`
	Capabilities json.RawMessage `json:"capabilities"`
}

func parseRows(data []byte) (*Bases, error) {
	var rows []json.RawMessage
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, err
	}
	bases := &Bases{sets: map[string]capability.Set{}}
	for i, raw := range rows {
		var row baseRow
		if err := json.Unmarshal(raw, &row); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		name := row.Host
		if row.Cluster != nil && *row.Cluster != "" {
			name = *row.Cluster
		}
		if name == "" {
			name = row.Name
		}
		if row.Capabilities == nil {
			var err error
			if row.Capabilities, err = clientRow(raw); err != nil {
				return nil, fmt.Errorf("entry %d: %w", i+1, err)
			}
			bases.partial = true
		}
		err := bases.add(name, row.Capabilities)
		if err == nil && row.Host == "" {
			err = bases.refuseOverlay(name)
		}
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return bases, bases.check()
}

// add adds one backend. The pool is not a part of its identity, and the time at
// which the scheduler received the report is not a capability.
func (b *Bases) add(name string, raw json.RawMessage) error {
	identity, _, _ := strings.Cut(name, "#")
	if !strings.Contains(identity, "@") {
		return fmt.Errorf("%q is not the name of a backend, such as ctl1@flasharray_x_01", name)
	}
	set, err := capability.ParseSet(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	delete(set, "timestamp")
	b.sets[identity] = set
	return nil
}

func (b *Bases) check() error {
	if len(b.sets) == 0 {
		return errors.New("it holds no backend")
	}
	return nil
}

// clientColumns are the columns of openstack volume backend pool list --long
// that are capabilities.
func clientColumns() map[string]string {
	return map[string]string{
		"Protocol": capability.KeyStorageProtocol,
		"Thin":     capability.KeyThinProvisioning, "Thick": "thick_provisioning_support",
		"Volumes": capability.KeyTotalVolumes, "Capacity": capability.KeyTotalCapacity,
		"Allocated": capability.KeyAllocatedCapacity, "Max Over Ratio": capability.KeyMaxOverSubscription,
	}
}

// clientRow turns a row of the client's table into capabilities; an empty cell
// is a key that was not reported.
func clientRow(raw json.RawMessage) (json.RawMessage, error) {
	row, err := capability.ParseSet(raw)
	if err != nil {
		return nil, err
	}
	set := capability.Set{}
	for column, key := range clientColumns() {
		v, ok := row[column]
		if text, isText := v.Str(); !ok || v.IsNull() || isText && text == "" {
			continue
		}
		set[key] = v
	}
	if len(set) == 0 {
		return nil, errors.New("it has no capabilities; list the pools with --long")
	}
	return set.MarshalJSON()
}
