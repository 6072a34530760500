package openstack

import (
	"context"
	"net/url"
)

// groupsVersion has the group of a volume.
const groupsVersion = "3.13"

// Volumes reads every volume of every project.
func (c *Client) Volumes(ctx context.Context) (all []Volume, err error) {
	q := query{
		what: "the volumes of all projects", path: "volumes/detail", right: "volume:get_all",
		values: url.Values{"all_tenants": {"1"}}, microversion: groupsVersion,
	}
	err = c.getAll(ctx, q, func(ctx context.Context, q query) (string, bool, error) {
		var page struct {
			Volumes []rawVolume `json:"volumes"`
			Links   []any       `json:"volumes_links"`
		}
		if err := c.get(ctx, q, &page); err != nil {
			return "", false, err
		}
		for i := range page.Volumes {
			all = append(all, *page.Volumes[i].volume())
		}
		return lastOf(page.Volumes, func(v rawVolume) string { return v.ID }), len(page.Links) > 0, nil
	})
	return all, err
}

// VolumesWithSnapshots reads the ids of the volumes of every project that have snapshots.
func (c *Client) VolumesWithSnapshots(ctx context.Context) (map[string]bool, error) {
	volumes := map[string]bool{}
	q := query{
		what: "the snapshots of all projects", path: "snapshots", right: "volume:get_all_snapshots",
		values: url.Values{"all_tenants": {"1"}},
	}
	err := c.getAll(ctx, q, func(ctx context.Context, q query) (string, bool, error) {
		var page struct {
			Snapshots []struct {
				ID     string `json:"id"`
				Volume string `json:"volume_id"`
			} `json:"snapshots"`
			Links []any `json:"snapshots_links"`
		}
		if err := c.get(ctx, q, &page); err != nil {
			return "", false, err
		}
		last := ""
		for _, s := range page.Snapshots {
			last = s.ID
			volumes[s.Volume] = true
		}
		return last, len(page.Links) > 0, nil
	})
	return volumes, err
}
