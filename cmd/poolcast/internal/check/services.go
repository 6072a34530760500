package check

import (
	"fmt"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/advice"
)

// serviceFindings are about cinder-volume services that the scheduler does not list, of
// any host and vendor, and about reports without a service.
func serviceFindings(cloud *openstack.Catalogue, reports []capability.Report) []advice.Finding {
	if cloud == nil || cloud.Services == nil {
		return nil
	}
	var found []advice.Finding
	for _, s := range cloud.Services {
		if s.Excluded() == "" {
			continue
		}
		f := advice.Finding{Severity: advice.Warning, Topic: advice.ServiceTopic, Code: "service-down", Where: s.Host}
		f.Problem = s.Excluded()
		f.Reason = "the scheduler places no volume there while that lasts"
		f.Fix = "Start cinder-volume on that host, and see its log"
		switch {
		case s.Disabled:
			f.Severity, f.Code = advice.Note, "service-disabled"
			f.Fix = fmt.Sprintf("openstack volume service set --enable %s cinder-volume, when it may take volumes again; then openstack volume service list, because Cinder 29.0.0 confirms the request and does not enable the service", s.Host)
		case s.Frozen:
			f.Severity, f.Code = advice.Note, "service-frozen"
			f.Fix = fmt.Sprintf("cinder thaw-host %s, when it may take volumes again", s.Host)
		}
		found = append(found, f)
	}
	return append(found, missingServices(cloud.Services, reports)...)
}

// missingServices are about reports that the scheduler ignores because there is no
// service of their name.
func missingServices(services []openstack.Service, reports []capability.Report) []advice.Finding {
	var found []advice.Finding
	for _, r := range reports {
		if _, ok := openstack.ServiceOf(services, r.Identity()); ok {
			continue
		}
		found = append(found, advice.Finding{
			Severity: advice.Error, Topic: advice.ServiceTopic, Code: "no-service", Where: r.Name(),
			Problem: "no cinder-volume has a service of the name " + r.Identity(),
			Reason:  "the scheduler ignores the reports of a backend without a service",
			Fix:     "Compare the host and the section with openstack volume service list, and set host or backend_host in cinder.conf so that the names are equal",
		})
	}
	return found
}
