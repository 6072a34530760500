package recording

import (
	"encoding/json"
	"regexp"
	"strings"
)

// keyWords are the words of the API's field names. A field of other words could
// be named after a customer.
const keyWords = `
	access active address addresses algorithm all allocated array arrays as at average banner blocks bytes cache cached
	capacity clusters code compression config connected connection connections console continuation controller
	controllers count counts created current data dedup default delay depth destroyed disabled effective efficiency
	enabled encryption end endpoint endpoints eradication error errors expected expiration failed feature features file
	footprint free group has hit host hosts id idle in ingress egress installed is item items key keys kind last latency
	level license limit local lock logical login management manual max mean mediator member message metadata min mirrored
	mode model module more name names network non not ntp number of offline on online op operation operations ops order
	os other others parent parity partner path paths peak per percent percentage performance period physical pod pods
	policy pool portal power present previous priority progress promotion protection provisioned provisioning qos queue
	quota rate ratio raw read reads received reduction refused remaining remote removed replicated replication reserved
	resource rest retention role running san saturation scheduled scheduling scsi sec secondary secure sent servers
	service services session shared shelf since size slot snapshot snapshots source space speed start started state
	states status storage subscription subscriptions symmetric system target temperature term thin threshold throttle
	throughput tier time timeout timezone to token total transfer transport transferred type types unique unit units
	unreachable up update updated uptime usec used user users utilization value values version versions virtual volume
	volumes window workload write writes zone`

// identityWords stand in the names of fields whose numbers could name somebody.
const identityWords = `address addresses banner host id key login member name names number portal session token user users`

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// vocabulary knows what an array says in words of its own.
type vocabulary struct {
	words, identity map[string]bool
	texts           map[string]*regexp.Regexp // by field
	controller      *regexp.Regexp            // names of controllers
	number, version *regexp.Regexp
}

func newVocabulary() vocabulary {
	exactly := func(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }
	return vocabulary{
		words: words(keyWords), identity: words(identityWords),
		texts: map[string]*regexp.Regexp{
			"os":             exactly(`Purity(//(FA|FB))?`),
			"version":        exactly(`\d{1,2}\.\d{1,2}\.\d{1,3}`),
			"model":          exactly(`(FA|CBS)-[A-Za-z]{0,2}\d{1,3}(R\d|r\d)?`),
			"module_version": exactly(`FA-\d{1,2}\.\d{1,2}`),
			"mode":           exactly(`primary|secondary|active|standby|offline|unknown|not present`),
			"status": exactly(`ready|not ready|updating|unknown|not present|online|offline|healthy|unhealthy|degraded|` +
				`connected|connecting|partially connected|partially_connected|disconnected|unbalanced|incomplete|quiescing|quiesced`),
			"type":                  exactly(`array_controller|shelf_controller|(a?sync)-replication|array|unknown`),
			"service":               exactly(`Evergreen//(One|Flex|Forever|Foundation)|FlashArray|FlashBlade|Cloud Block Store|Portworx`),
			"resource_type":         exactly(`(remote-)?(arrays|pods|volumes|hosts)|network-access-policies`),
			"replication_transport": exactly(`ip|fc|eth`),
			"encryption":            exactly(`encrypted|unencrypted`),
			"encryption_mode":       exactly(`none|encrypted|unencrypted`),
			"algorithm":             exactly(`AES-\d{3}(-[A-Z]{3})?`),
			"manual_eradication":    exactly(`(all-|partially-)?(enabled|disabled)`),
		},
		controller: exactly(`(CT|CH|SC)\d{1,2}(\.SC\d)?`),
		number:     exactly(`-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?`),
		version:    exactly(`\d\.(\d{1,2}|X)`),
	}
}

// hasText reports whether a text is a word of the array itself.
func (v vocabulary) hasText(path, field, text string) bool {
	if field == "name" {
		return path == "controllers" && v.controller.MatchString(text)
	}
	pattern := v.texts[field]
	return pattern != nil && pattern.MatchString(text)
}

// hasKey reports whether the API itself names a field so.
func (v vocabulary) hasKey(key string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(key, "_"), "_") {
		if !v.words[part] {
			return false
		}
	}
	return true
}

// hasNumber reports whether a number measures something.
func (v vocabulary) hasNumber(field string, n json.Number) bool {
	if !v.hasKey(field) || !v.number.MatchString(n.String()) {
		return false
	}
	for part := range strings.SplitSeq(field, "_") {
		if v.identity[part] {
			return false
		}
	}
	return true
}
