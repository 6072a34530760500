package backends

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/capability"
)

// ApplyServices completes the set with what the services of a cloud have: the zone of
// each backend, which the scheduler reads from there too, and why the scheduler does not
// list a backend. Backends whose services are disabled, frozen or down are unlisted from
// now on: a list that an agent keeps can be older than a change of the service. If the
// scheduler was not asked for its list, those that have no service are too. Services
// that are nil are not known, and the set stays as it is.
func (s *Set) ApplyServices(services []openstack.Service) {
	if services == nil {
		return
	}
	asked := !s.AskedAt.IsZero()
	s.Excluded = map[string]string{}
	s.Reports = slices.Clone(s.Reports)
	for i := range s.Reports {
		r := &s.Reports[i]
		identity := r.Identity()
		reason := openstack.NoService
		if service, ok := openstack.ServiceOf(services, identity); ok {
			r.Zone, reason = service.Zone, service.Excluded()
		}
		listed := !slices.Contains(s.Unlisted, identity)
		if reason == "" || listed && asked && reason == openstack.NoService {
			continue
		}
		s.Excluded[identity] = reason
		if listed {
			s.Unlisted = append(slices.Clip(s.Unlisted), identity)
		}
	}
	s.explainMissing(services)
	slices.SortStableFunc(s.Reports, func(a, b capability.Report) int {
		return position(s.Unlisted, a) - position(s.Unlisted, b)
	})
}

// position is 1 for backends that are unlisted, which are the last, else 0.
func position(unlisted []string, r capability.Report) int {
	if slices.Contains(unlisted, r.Identity()) {
		return 1
	}
	return 0
}

// explainMissing replaces the notes on backends that are not listed by what their
// services have.
func (s *Set) explainMissing(services []openstack.Service) {
	s.Notes, s.missing = slices.Clone(s.Notes), maps.Clone(s.missing)
	for identity, note := range s.missing {
		service, ok := openstack.ServiceOf(services, identity)
		at := slices.Index(s.Notes, note)
		if !ok || at < 0 {
			continue
		}
		reason := service.Excluded()
		if reason == "" {
			reason = "its service is enabled and up, and the scheduler has received no report since it became so; cinder-volume's next report ends that"
		}
		s.Notes[at] = fmt.Sprintf("%s is configured here, and the scheduler does not list it: %s.", identity, reason)
		s.missing[identity] = s.Notes[at]
	}
}

// MissingNote is the note on a configured backend that is not listed and of which no
// report is known, by its section, host@backend or pool; "" if there is none.
func (s *Set) MissingNote(name string) string {
	name, _, _ = strings.Cut(name, "#")
	for _, identity := range slices.Sorted(maps.Keys(s.missing)) {
		if _, stanza, _ := strings.Cut(identity, "@"); name == identity || name == stanza {
			return s.missing[identity]
		}
	}
	return ""
}
