package openstack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Usage is how much of one quota a project uses.
type Usage struct {
	Resource string // as Cinder names it, such as gigabytes or volumes_gold
	Used     int64  // in use and reserved
	Limit    int64  // less than 0 for no limit
	Request  int64  // what another volume of that size and type needs
}

// Exceeded reports whether another such volume is refused.
func (u Usage) Exceeded() bool { return u.Limit >= 0 && u.Used+u.Request > u.Limit }

// Quota reads the quotas that a volume counts for: volumes and gigabytes of its
// project, in all and of its type, and the size of one volume. cinder-api checks them
// before it asks the scheduler (cinder/volume/flows/api/create_volume.py,
// QuotaReserveTask).
func (c *Client) Quota(ctx context.Context, v *Volume) ([]Usage, error) {
	if v.project == "" {
		return nil, errors.New("request the quota of the volume's project: the cloud does not say which project it is; the credential needs the role admin; Cinder checks the rule volume_extension:volume_tenant_attribute")
	}
	var set struct {
		Quota map[string]json.RawMessage `json:"quota_set"`
	}
	q := query{
		what: "the quota of the volume's project", path: "os-quota-sets/" + v.project, shown: "os-quota-sets/PROJECT",
		right: "volume_extension:quotas:show", values: map[string][]string{"usage": {"true"}},
	}
	if err := c.get(ctx, q, &set); err != nil {
		return nil, err
	}
	return usages(set.Quota, v), nil
}

// usages picks the quotas that count for a volume. Those that are not there are left
// out.
func usages(set map[string]json.RawMessage, v *Volume) []Usage {
	needs := map[string]int64{"volumes": 1, "gigabytes": v.Size, "per_volume_gigabytes": v.Size}
	if v.Type != "" {
		needs["volumes_"+v.Type], needs["gigabytes_"+v.Type] = 1, v.Size
	}
	var out []Usage
	for resource, request := range needs {
		var raw struct {
			Limit    *int64 `json:"limit"`
			InUse    int64  `json:"in_use"`
			Reserved int64  `json:"reserved"`
		}
		if json.Unmarshal(set[resource], &raw) != nil || raw.Limit == nil {
			continue
		}
		u := Usage{Resource: resource, Used: raw.InUse + raw.Reserved, Limit: *raw.Limit, Request: request}
		if strings.HasPrefix(resource, "per_volume") {
			u.Used = 0
		}
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b Usage) int { return cmp.Compare(a.Resource, b.Resource) })
	return out
}
