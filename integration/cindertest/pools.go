package cindertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/poolcast/poolcast/collector/capability"
)

// poolsCall returns where to send the reply to a message, and the ID of the call, if
// the message is the call get_pools.
func poolsCall(d amqp.Delivery) (queue, id string, ok bool) {
	var envelope struct {
		Message string `json:"oslo.message"`
	}
	var call struct {
		Method string `json:"method"`
		ID     string `json:"_msg_id"`
		Reply  string `json:"_reply_q"`
	}
	if json.Unmarshal(d.Body, &envelope) != nil || json.Unmarshal([]byte(envelope.Message), &call) != nil {
		return "", "", false
	}
	return call.Reply, call.ID, call.Method == "get_pools"
}

// sendPools replies to get_pools with the last report of each host, as a scheduler does
// whose services are all enabled and up.
func (s *Scheduler) sendPools(queue, id string) error {
	inner, err := json.Marshal(map[string]any{
		"result": s.pools(), "failure": nil, "ending": true, "_msg_id": id, "_unique_id": messageID(),
	})
	if err != nil {
		return fmt.Errorf("encode pools: %w", err)
	}
	body, err := json.Marshal(map[string]string{"oslo.version": "2.0", "oslo.message": string(inner)})
	if err != nil {
		return fmt.Errorf("encode pools: %w", err)
	}
	return s.PublishWithContext(context.Background(), "", queue, false, false, amqp.Publishing{
		ContentType: "application/json", ContentEncoding: "utf-8", Body: body,
	})
}

// pools are the last reports, in the order in which the hosts reported first.
func (s *Scheduler) pools() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	pools := []map[string]any{}
	var hosts []string
	for _, r := range s.reports {
		at := slices.Index(hosts, r.Host)
		if at < 0 {
			at, hosts, pools = len(hosts), append(hosts, r.Host), append(pools, nil)
		}
		name := r.Host + "#" + r.Capabilities[capability.KeyVolumeBackendName].String()
		pools[at] = map[string]any{"name": name, "capabilities": r.Capabilities}
	}
	return pools
}
