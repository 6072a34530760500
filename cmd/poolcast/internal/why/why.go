package why

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Facts are what the APIs of the cloud have about a volume.
type Facts struct {
	Volume    *openstack.Volume
	Source    *openstack.Volume // that it was made from, itself or by a snapshot; nil if there is none
	Type      *openstack.VolumeType
	Messages  []openstack.Message // the newest first
	Quota     []openstack.Usage
	Service   *openstack.Service // of its backend; nil if it has none, or it is not known
	Catalogue *openstack.Catalogue
	Notes     []string // what could not be read
}

// Read reads the facts of a volume, by its id or its name. Without the right to read
// one of them it is not known, and a note says so.
func Read(ctx context.Context, cloud *openstack.Client, idOrName string) (*Facts, error) {
	f := &Facts{}
	var err error
	if f.Volume, err = cloud.Volume(ctx, idOrName); err != nil {
		return nil, err
	}
	if f.Catalogue, err = cloud.Catalogue(ctx); err != nil {
		return nil, err
	}
	f.Notes = f.Catalogue.Notes
	if f.Volume.Type != "" {
		if t, err := f.Catalogue.Type(f.Volume.Type); err == nil {
			f.Type = &t
		} else {
			f.note(err)
		}
	}
	if service, ok := openstack.ServiceOf(f.Catalogue.Services, f.Volume.Backend()); ok {
		f.Service = &service
	}
	f.Messages, err = cloud.Messages(ctx, f.Volume)
	f.note(err)
	f.Quota, err = cloud.Quota(ctx, f.Volume)
	f.note(err)
	f.Source, err = source(ctx, cloud, f.Volume)
	f.note(err)
	return f, nil
}

func (f *Facts) note(err error) {
	if err != nil {
		f.Notes = append(f.Notes, err.Error())
	}
}

// source reads the volume that another one was made from.
func source(ctx context.Context, cloud *openstack.Client, v *openstack.Volume) (*openstack.Volume, error) {
	switch {
	case v.Source != "":
		return cloud.Volume(ctx, v.Source)
	case v.SourceSnapshot != "":
		return cloud.SnapshotVolume(ctx, v.SourceSnapshot)
	}
	return nil, nil
}

// Explanation is why a volume is as it is, and what would happen to another one.
type Explanation struct {
	*Facts
	// Answer is what cinder-api and the scheduler would do now with another volume of
	// that size, type and zone.
	Answer *decision.Answer
	Now    time.Time
}

// Explain decides on another volume like that of the facts, on the reports of now.
func Explain(f *Facts, cloud *decision.Cloud, seed uint64, now time.Time) (*Explanation, error) {
	create := f.create()
	answer, err := cloud.Ask(decision.Question{Create: &create, Policy: "strict", Seed: seed})
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	return &Explanation{Facts: f, Answer: answer, Now: now}, nil
}

// create is the request for another volume like that of the facts.
func (f *Facts) create() volumeapi.Create {
	create := volumeapi.Create{Size: f.Volume.Size, Zone: f.Volume.Zone}
	if f.Type != nil {
		create.Type, create.QoS = &f.Type.VolumeType, f.Type.QoS
	}
	if f.Source != nil {
		create.SourceZone, create.SourceBackend = f.Source.Zone, f.Source.Host
		create.FromSnapshot = f.Volume.SourceSnapshot != ""
	}
	return create
}

// Cause is what happened to the volume, in one sentence.
func (f *Facts) Cause() string {
	v := f.Volume
	switch {
	case v.Host == "" && v.Status == "error" && f.unplaced():
		return "The scheduler found no backend for it."
	case v.Host == "" && v.Status == "error":
		return "It was never placed on a backend; the log of cinder-scheduler has the reason."
	case v.Host == "" && v.Status == "creating":
		return "It waits for a scheduler: either a create has just begun, or no cinder-scheduler runs."
	case v.Host == "":
		return "It is on no backend."
	case v.Status == "error":
		return fmt.Sprintf("The scheduler placed it on %s, and cinder-volume failed there: its log has the reason.", v.Host)
	case v.Status == "creating":
		return fmt.Sprintf("The scheduler placed it on %s, and cinder-volume has not made it yet.", v.Host)
	case strings.HasPrefix(v.Status, "error_"):
		return fmt.Sprintf("It is on %s, where a later operation failed, not its create.", v.Host)
	}
	return fmt.Sprintf("It is on %s.", v.Host)
}

// noBackend is how Cinder's message of a create without a backend ends
// (cinder/message/message_field.py, NO_BACKEND_AVAILABLE).
const noBackend = "weighted backend"

// unplaced reports whether a message says that no backend was found.
func (f *Facts) unplaced() bool {
	for _, m := range f.Messages {
		if strings.Contains(m.Text, noBackend) {
			return true
		}
	}
	return false
}

// Exceeded are the quotas that another volume would exceed.
func (f *Facts) Exceeded() (over []openstack.Usage) {
	for _, u := range f.Quota {
		if u.Exceeded() {
			over = append(over, u)
		}
	}
	return over
}

// Verdict is what would happen to another volume now, in one sentence.
func (e *Explanation) Verdict() string {
	if over := e.Exceeded(); len(over) > 0 {
		u := over[0]
		return fmt.Sprintf("cinder-api would refuse another one now: the quota %s is %d, %d are in use, and it needs %d", u.Resource, u.Limit, u.Used, u.Request)
	}
	return e.Answer.Summary()
}

// Fails is an error with the exit code of a create that fails, nil if it would succeed.
func (e *Explanation) Fails() error {
	switch {
	case len(e.Exceeded()) > 0:
		return exit.With(exit.NoFit, errors.New("the quota is exceeded; see above"))
	case e.Answer.Refusal != nil:
		return exit.With(exit.NoFit, errors.New("cinder-api refuses such a volume; the reason is above"))
	case !e.Answer.Fits():
		return exit.With(exit.NoFit, errors.New("no backend fits; the reasons are above"))
	}
	return nil
}
