package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// volumeBound is how long a volume or a snapshot may take to reach a status.
	volumeBound = 2 * time.Minute
	// volumeInterval is the time between two requests for its status.
	volumeInterval = 200 * time.Millisecond
)

// Volume is one to create.
type Volume struct {
	Name     string
	Size     int // GiB; that of snapshot or source if 0
	Type     string
	Zone     string
	Snapshot string         // id of the snapshot that it is made of
	Source   string         // id of the volume that it is a clone of
	Hints    map[string]any // scheduler hints
}

// VolumeStatus is a volume, or a snapshot, as cinder-api has it.
type VolumeStatus struct {
	ID, Name, Status string
	Size             int
	Type             string `json:"volume_type"`
	Zone             string `json:"availability_zone"`
	Host             string `json:"os-vol-host-attr:host"` // host@stanza#pool
	Migration        string `json:"migration_status"`
}

// Backend is the host@stanza of the volume; "" if it has none.
func (v VolumeStatus) Backend() string {
	backend, _, _ := strings.Cut(v.Host, "#")
	return backend
}

// CreateType adds a volume type with extra specs and returns its id.
func (a *API) CreateType(ctx context.Context, name string, extraSpecs map[string]string) (string, error) {
	var got struct {
		Type struct{ ID string } `json:"volume_type"`
	}
	err := a.Call(ctx, http.MethodPost, "types", object{"volume_type": object{"name": name, "extra_specs": extraSpecs}}, &got)
	return got.Type.ID, err
}

// CreateVolume requests a volume and returns its id. The volume is not there yet:
// [API.AwaitVolume] waits for it.
func (a *API) CreateVolume(ctx context.Context, v Volume) (string, error) {
	fields := object{"name": v.Name}
	for key, value := range map[string]string{"volume_type": v.Type, "availability_zone": v.Zone, "snapshot_id": v.Snapshot, "source_volid": v.Source} {
		if value != "" {
			fields[key] = value
		}
	}
	if v.Size != 0 {
		fields["size"] = v.Size
	}
	body := object{"volume": fields}
	if v.Hints != nil {
		body["OS-SCH-HNT:scheduler_hints"] = v.Hints
	}
	var got struct{ Volume struct{ ID string } }
	err := a.Call(ctx, http.MethodPost, "volumes", body, &got)
	return got.Volume.ID, err
}

// Volume is the volume with an id.
func (a *API) Volume(ctx context.Context, id string) (VolumeStatus, error) {
	var got struct{ Volume VolumeStatus }
	err := a.Call(ctx, http.MethodGet, "volumes/"+id, nil, &got)
	return got.Volume, err
}

// Volumes lists the volumes of the project.
func (a *API) Volumes(ctx context.Context) ([]VolumeStatus, error) {
	var got struct{ Volumes []VolumeStatus }
	err := a.Call(ctx, http.MethodGet, "volumes/detail", nil, &got)
	return got.Volumes, err
}

// AwaitVolume waits until a volume has one of some statuses. It is an error if it gets
// a status of error that is not one of them.
func (a *API) AwaitVolume(ctx context.Context, id string, statuses ...string) (VolumeStatus, error) {
	return a.await(ctx, func() (VolumeStatus, error) { return a.Volume(ctx, id) }, statuses)
}

// AwaitSnapshot does the same for a snapshot.
func (a *API) AwaitSnapshot(ctx context.Context, id string, statuses ...string) (VolumeStatus, error) {
	return a.await(ctx, func() (VolumeStatus, error) {
		var got struct{ Snapshot VolumeStatus }
		err := a.Call(ctx, http.MethodGet, "snapshots/"+id, nil, &got)
		return got.Snapshot, err
	}, statuses)
}

// AwaitDeleted waits until there is no volume of an id.
func (a *API) AwaitDeleted(ctx context.Context, id string) error {
	_, err := a.AwaitVolume(ctx, id, "deleted")
	return unlessGone(err)
}

// AwaitSnapshotDeleted waits until there is no snapshot of an id.
func (a *API) AwaitSnapshotDeleted(ctx context.Context, id string) error {
	_, err := a.AwaitSnapshot(ctx, id, "deleted")
	return unlessGone(err)
}

// unlessGone is an error other than that there is no such object.
func unlessGone(err error) error {
	if status := (*StatusError)(nil); errors.As(err, &status) && status.Status == http.StatusNotFound {
		return nil
	}
	return err
}

func (a *API) await(ctx context.Context, get func() (VolumeStatus, error), statuses []string) (VolumeStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, volumeBound)
	defer cancel()
	for {
		v, err := get()
		switch {
		case err != nil:
			return v, err
		case slices.Contains(statuses, v.Status):
			return v, nil
		case strings.HasPrefix(v.Status, "error"):
			return v, fmt.Errorf("%s %s is in the status %s, not %v", v.Name, v.ID, v.Status, statuses)
		}
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("wait for %s %s, which is %s, to be %v: %w", v.Name, v.ID, v.Status, statuses, ctx.Err())
		case <-time.After(volumeInterval):
		}
	}
}

// DeleteVolume requests the deletion of a volume.
func (a *API) DeleteVolume(ctx context.Context, id string) error {
	return a.Call(ctx, http.MethodDelete, "volumes/"+id, nil, nil)
}

// CreateSnapshot requests a snapshot of a volume and returns its id.
func (a *API) CreateSnapshot(ctx context.Context, volume, name string) (string, error) {
	var got struct{ Snapshot struct{ ID string } }
	err := a.Call(ctx, http.MethodPost, "snapshots", object{"snapshot": object{"volume_id": volume, "name": name}}, &got)
	return got.Snapshot.ID, err
}

// DeleteSnapshot requests the deletion of a snapshot.
func (a *API) DeleteSnapshot(ctx context.Context, id string) error {
	return a.Call(ctx, http.MethodDelete, "snapshots/"+id, nil, nil)
}

// Extend requests a new size in GiB.
func (a *API) Extend(ctx context.Context, id string, size int) error {
	return a.act(ctx, id, "os-extend", object{"new_size": size})
}

// Retype requests another type. policy is never, or on-demand, which permits a
// migration.
func (a *API) Retype(ctx context.Context, id, newType, policy string) error {
	return a.act(ctx, id, "os-retype", object{"new_type": newType, "migration_policy": policy})
}

// Migrate requests a migration to a host@stanza#pool.
func (a *API) Migrate(ctx context.Context, id, host string) error {
	return a.act(ctx, id, "os-migrate_volume", object{"host": host, "force_host_copy": false, "lock_volume": false})
}

// ResetStatus sets the status of a volume, for one that is stuck.
func (a *API) ResetStatus(ctx context.Context, id, status string) error {
	return a.act(ctx, id, "os-reset_status", object{"status": status})
}

func (a *API) act(ctx context.Context, id, action string, fields object) error {
	return a.Call(ctx, http.MethodPost, "volumes/"+id+"/action", object{action: fields}, nil)
}
