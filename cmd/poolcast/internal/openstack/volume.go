package openstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Volume is one volume of any project.
type Volume struct {
	ID     string
	Name   string
	Status string // available, in-use, error, creating, …
	Size   int64  // GiB
	Type   string // name; "" for none
	Zone   string // "" until it is placed, if the request left several zones
	// Host is the pool that it is on, host@backend#pool; "" if it was never placed.
	Host        string
	Migration   string // status of a migration; "" for none
	Replication string // status of a replication; "" for none
	Multiattach bool
	CreatedAt   time.Time
	// Source is the volume that it was made from, SourceSnapshot the snapshot; "" if
	// there is none.
	Source, SourceSnapshot string

	// NameID is the id in the name of the volume on its array: another one after a
	// migration.
	NameID    string
	Grouped   bool // in a group or consistency group
	Encrypted bool
	Servers   []string // ids of those that it is attached to; "" for an attachment to none

	project string // id
}

// Backend is the part of Host before the pool.
func (v *Volume) Backend() string {
	backend, _, _ := strings.Cut(v.Host, "#")
	return backend
}

// rawVolume is a volume as the API sends it.
type rawVolume struct {
	ID          string  `json:"id"`
	Name        *string `json:"name"`
	Status      string  `json:"status"`
	Size        int64   `json:"size"`
	Type        *string `json:"volume_type"`
	Zone        *string `json:"availability_zone"`
	Host        *string `json:"os-vol-host-attr:host"`
	Migration   *string `json:"os-vol-mig-status-attr:migstat"`
	Replication *string `json:"replication_status"`
	Multiattach bool    `json:"multiattach"`
	CreatedAt   apiTime `json:"created_at"`
	Source      *string `json:"source_volid"`
	Snapshot    *string `json:"snapshot_id"`
	Project     *string `json:"os-vol-tenant-attr:tenant_id"`
	NameID      *string `json:"os-vol-mig-status-attr:name_id"`
	Group       *string `json:"group_id"`
	Consistency *string `json:"consistencygroup_id"`
	Encrypted   bool    `json:"encrypted"`
	Attachments []struct {
		Server *string `json:"server_id"`
	} `json:"attachments"`
}

func (r *rawVolume) volume() *Volume {
	v := &Volume{
		ID: r.ID, Name: orEmpty(r.Name), Status: r.Status, Size: r.Size, Type: orEmpty(r.Type), Zone: orEmpty(r.Zone),
		Host: orEmpty(r.Host), Migration: orEmpty(r.Migration), Replication: orEmpty(r.Replication),
		Multiattach: r.Multiattach, CreatedAt: time.Time(r.CreatedAt), Source: orEmpty(r.Source), SourceSnapshot: orEmpty(r.Snapshot),
		NameID: cmp.Or(orEmpty(r.NameID), r.ID), Grouped: orEmpty(r.Group)+orEmpty(r.Consistency) != "", Encrypted: r.Encrypted,
		project: orEmpty(r.Project),
	}
	for _, a := range r.Attachments {
		v.Servers = append(v.Servers, orEmpty(a.Server))
	}
	return v
}

// apiTime is a time of the API: UTC, without a zone.
type apiTime time.Time

// UnmarshalJSON reads a time or null. What is not a time is left out.
func (t *apiTime) UnmarshalJSON(data []byte) error {
	for _, layout := range []string{`"2006-01-02T15:04:05.999999"`, `"2006-01-02T15:04:05.999999Z07:00"`} {
		if parsed, err := time.Parse(layout, string(data)); err == nil {
			*t = apiTime(parsed)
			return nil
		}
	}
	*t = apiTime{}
	return nil
}

// Volume reads a volume by its id, or by its name if no volume has that id. A name that
// several volumes have is an error with their ids.
func (c *Client) Volume(ctx context.Context, idOrName string) (*Volume, error) {
	if idOrName == "" || len(idOrName) > 255 {
		return nil, errors.New("want the id or the name of a volume")
	}
	var one struct {
		Volume rawVolume `json:"volume"`
	}
	err := c.get(ctx, query{
		what: "volume " + idOrName, path: "volumes/" + url.PathEscape(idOrName), shown: "volumes/ID", right: "volume:get",
	}, &one)
	switch {
	case errors.Is(err, errNotFound):
		return c.volumeByName(ctx, idOrName)
	case err != nil:
		return nil, err
	}
	return one.Volume.volume(), nil
}

// Host returns the pool of a volume by its id, as a hint that names the volume needs it.
func (c *Client) Host(ctx context.Context, id string) (string, error) {
	v, err := c.Volume(ctx, id)
	switch {
	case err != nil:
		return "", err
	case v.Host == "":
		return "", fmt.Errorf("volume %s is on no backend: its status is %s", id, v.Status)
	}
	return v.Host, nil
}

func (c *Client) volumeByName(ctx context.Context, name string) (*Volume, error) {
	var list struct {
		Volumes []rawVolume `json:"volumes"`
	}
	q := query{
		what: "volumes of the name " + name, path: "volumes/detail", right: "volume:get_all",
		values: url.Values{"name": {name}, "all_tenants": {"1"}, "limit": {"20"}},
	}
	if err := c.get(ctx, q, &list); err != nil {
		return nil, err
	}
	switch len(list.Volumes) {
	case 0:
		return nil, fmt.Errorf("cloud %s has no volume with the id or the name %q that the credential may see", c.name, name)
	case 1:
		return list.Volumes[0].volume(), nil
	}
	ids := make([]string, len(list.Volumes))
	for i, v := range list.Volumes {
		ids[i] = v.ID + " (" + v.Status + ")"
	}
	return nil, fmt.Errorf("cloud %s has several volumes of the name %q: give one of the ids %s", c.name, name, strings.Join(ids, ", "))
}

// SnapshotVolume reads which volume a snapshot is of.
func (c *Client) SnapshotVolume(ctx context.Context, snapshot string) (*Volume, error) {
	var one struct {
		Snapshot struct {
			Volume string `json:"volume_id"`
		} `json:"snapshot"`
	}
	q := query{what: "snapshot " + snapshot, path: "snapshots/" + url.PathEscape(snapshot), shown: "snapshots/ID", right: "volume:get_snapshot"}
	if err := c.get(ctx, q, &one); err != nil {
		return nil, err
	}
	return c.Volume(ctx, one.Snapshot.Volume)
}

// Message is a message of Cinder to the user of a volume.
type Message struct {
	Text      string
	CreatedAt time.Time
	Request   string // id of the request, which is in the log of each service
}

// Messages reads the messages of a volume, the newest first. Cinder deletes them after
// thirty days (message_ttl).
func (c *Client) Messages(ctx context.Context, v *Volume) ([]Message, error) {
	var list struct {
		Messages []struct {
			Text      string  `json:"user_message"`
			CreatedAt apiTime `json:"created_at"`
			Request   string  `json:"request_id"`
		} `json:"messages"`
	}
	q := query{
		what: "the messages of the volume", path: "messages", right: "message:get_all", microversion: "3.5",
		values: url.Values{"resource_uuid": {v.ID}, "sort": {"created_at:desc"}, "limit": {"20"}},
	}
	if err := c.get(ctx, q, &list); err != nil {
		return nil, err
	}
	messages := make([]Message, len(list.Messages))
	for i, m := range list.Messages {
		messages[i] = Message{Text: m.Text, CreatedAt: time.Time(m.CreatedAt), Request: m.Request}
	}
	return messages, nil
}
