package backends

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher"
)

// parse reads a saved dry run, which is a list of reports, or pools: the API's body
// {"pools": […]}, or the list alone. cinder-api writes NaN and Infinity, which are read
// as null, as those of the scheduler's list are.
func (f *Finder) parse(data []byte) (*Set, error) {
	set, err := f.parseJSON(bytes.TrimSpace(data))
	if err == nil {
		return set, nil
	}
	plain, bare := publisher.WithoutBareNumbers(data)
	if !bare {
		return nil, err
	}
	if set, err = f.parseJSON(bytes.TrimSpace(plain)); err == nil {
		set.Notes = append(set.Notes, "NaN and Infinity in the file are read as null.")
	}
	return set, err
}

func (f *Finder) parseJSON(data []byte) (*Set, error) {
	if len(data) == 0 {
		return nil, errors.New("it is empty")
	}
	list := json.RawMessage(data)
	if data[0] == '{' {
		var body struct {
			Pools json.RawMessage `json:"pools"`
		}
		if err := json.Unmarshal(data, &body); err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		if body.Pools == nil {
			return nil, errors.New(`want the output of poolcast --dry-run, or {"pools": […]} as the API's scheduler-stats/get_pools?detail=true or /v1/scheduler gives it`)
		}
		list = body.Pools
	}
	if isPools(list) {
		return f.parsePools(list)
	}
	var reports []capability.Report
	if err := json.Unmarshal(list, &reports); err != nil {
		return nil, fmt.Errorf("want the output of poolcast --dry-run, or the pools of the API: %w", err)
	}
	return &Set{Reports: reports}, nil
}

// isPools is whether the first entry of a list is a pool: it has a name, and no host.
func isPools(list json.RawMessage) bool {
	var rows []struct {
		Name *string `json:"name"`
		Host *string `json:"host"`
	}
	return json.Unmarshal(list, &rows) == nil && len(rows) > 0 && rows[0].Name != nil && rows[0].Host == nil
}

func (f *Finder) parsePools(list json.RawMessage) (*Set, error) {
	pools, err := publisher.ParsePools(list)
	if err != nil {
		return nil, fmt.Errorf("%w; openstack volume backend pool list prints a table of few keys, the API's body has all", err)
	}
	zones := Zones{Given: f.Zones, Default: "nova"}
	if f.Config != nil {
		zones = ZonesOf(f.Config, f.Zones)
	}
	set := Arrange(nil, &publisher.SchedulerPools{Pools: pools}, zones)
	if f.Config != nil {
		set.nameOwn(f.Config)
	}
	return set, nil
}
