package flasharray

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	partArray        = "arrays"
	partController   = "controllers"
	partSubscription = "subscriptions"
)

// identityParts are the paths that are read once a session.
func identityParts(s *session) []string {
	parts := []string{partArray, partController}
	if s != nil && s.version.atLeast(version{2, 26}) { // where subscriptions begin
		parts = append(parts, partSubscription)
	}
	return parts
}

// identify reads the parts of the identity that are not known yet. A part that
// the array refuses is not requested again in the same session.
func (s *sampler) identify(ctx context.Context) {
	s.cache.unread = slices.DeleteFunc(s.cache.unread, func(part string) bool {
		var warnings []error
		err := s.identifyBy(ctx, part, &warnings)
		final := isRefusal(err)
		if final && part == partSubscription {
			err = nil // not every array has a subscription
		}
		s.fault(part, append(warnings, err)...)
		return err == nil || final
	})
	if s.cache.identity.ID == "" {
		s.cache.identity.ID = s.array
	}
}

// recheck reads one part of the identity again, in place of the connections to
// other arrays, so that it costs no additional request. What cannot be read, or
// is missing now, stays as it was. It reports whether it sent a request.
func (s *sampler) recheck(ctx context.Context) bool {
	m := s.cache
	if time.Now().Before(m.checkAt) || m.links == nil || s.requests >= requestBudget {
		return false
	}
	parts, before := identityParts(m.session), m.identity
	part := parts[m.checked%len(parts)]
	m.checked, m.checkAt = m.checked+1, time.Now().Add(identityKept)
	var warnings []error
	if err := s.identifyBy(ctx, part, &warnings); err != nil {
		m.identity = before
	}
	m.identity = withMissing(m.identity, before)
	s.stats.Links = m.links
	return true
}

// withMissing fills what is missing in an identity from another one.
func withMissing(id, from capability.Identity) capability.Identity {
	id.ID, id.Name, id.Purity = cmp.Or(id.ID, from.ID), cmp.Or(id.Name, from.Name), cmp.Or(id.Purity, from.Purity)
	id.Model, id.Service = cmp.Or(id.Model, from.Model), cmp.Or(id.Service, from.Service)
	return id
}

func (s *sampler) identifyBy(ctx context.Context, part string, warnings *[]error) error {
	p, err := s.getPage(ctx, part, nil, warnings)
	if err != nil {
		return err
	}
	id := &s.cache.identity
	switch part {
	case partArray:
		return s.decodeArray(p, id)
	case partController:
		id.Model = decodeModel(p.items)
	case partSubscription:
		id.Service = decodeService(p.items)
	}
	return nil
}

func (s *sampler) decodeArray(p *page, id *capability.Identity) error {
	if len(p.items) == 0 {
		return errors.New("the response names no array")
	}
	o := p.items[0]
	id.ID, id.Name, id.Purity = o.text("id"), o.text("name"), o.text("version")
	s.cache.clock.setAsOf(o, p.response)
	return nil
}

// decodeModel prefers the primary controller. During a failover there may be
// none, and during a hardware upgrade the two differ.
func decodeModel(controllers []object) string {
	model, best := "", 0
	for _, o := range controllers {
		rank := 1
		if o.text("type") != "shelf_controller" {
			rank++
		}
		if o.text("mode") == "primary" {
			rank++
		}
		if m := o.text("model"); m != "" && rank > best {
			model, best = m, rank
		}
	}
	return model
}

func decodeService(subscriptions []object) string {
	for _, o := range subscriptions {
		if service := o.text("service"); service != "" {
			return service
		}
	}
	return ""
}

// isRefusal reports that a repeated request will fail in the same way.
func isRefusal(err error) bool {
	api, ok := errors.AsType[*APIError](err)
	return ok && api.Status >= 400 && api.Status < 500 && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrUnauthorized)
}
