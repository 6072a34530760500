package flasharray

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"

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

// withMissing fills what is missing in an identity from another one.
func withMissing(id, from capability.Identity) capability.Identity {
	id.ID, id.Name, id.Purity = cmp.Or(id.ID, from.ID), cmp.Or(id.Name, from.Name), cmp.Or(id.Purity, from.Purity)
	id.Model, id.Service = cmp.Or(id.Model, from.Model), cmp.Or(id.Service, from.Service)
	return id
}

func (s *sampler) identifyBy(ctx context.Context, part string, warnings *[]error) error {
	var query url.Values
	if part == partController {
		query = url.Values{"limit": {strconv.Itoa(maxControllers)}}
	}
	p, err := s.getPage(ctx, part, query, warnings)
	if err != nil {
		return err
	}
	s.rotation.turns[part] = turn{due: dueIn(identityKept)}
	id := &s.cache.identity
	switch part {
	case partArray:
		return s.decodeArray(p, id)
	case partController:
		id.Model = decodeModel(p.items)
		s.rotation.turns[part] = turn{due: dueIn(seldom)}
		s.rotation.condition.Controllers = reading(decodeControllers(p.items), seldom)
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
