package sqldb

import (
	"database/sql"
	"encoding/json"
	"sync"

	"hawker/commerce"
	"hawker/internal/object"
	"hawker/internal/sqldb/bulk"
	"hawker/internal/sqldb/stored"
)

// The effects of a batch are one row, because a row costs more than what is in it: kind "block", the id of its first effect,
// and as its body those that are not done yet. The row is written anew as they get done, and goes with the last.
const effectsKind = "block"

// packed is an effect inside a block.
type packed struct {
	ID       commerce.ID     `json:"id"`
	Kind     string          `json:"kind"`
	Body     json.RawMessage `json:"body"`
	NotAfter int64           `json:"not_after_ms"`
}

func unpackEffect(p packed) commerce.Effect {
	if string(p.Body) == "null" {
		p.Body = nil
	}
	return commerce.Effect{ID: p.ID, Kind: p.Kind, Body: p.Body, NotAfter: stored.Time(p.NotAfter)}
}

// effectBlock is a stored block: the effects in it that are not done.
type effectBlock struct {
	id   commerce.ID
	left []packed
}

// effectBlocks knows where the stored effects of the merchants served here are.
type effectBlocks struct {
	mu sync.Mutex
	of map[commerce.ID]map[commerce.ID]*effectBlock // by merchant and effect
}

// load takes over what is stored of a merchant.
func (x *effectBlocks) load(merchant commerce.ID, blocks []*effectBlock) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil {
		x.of = map[commerce.ID]map[commerce.ID]*effectBlock{}
	}
	all := map[commerce.ID]*effectBlock{}
	for _, bl := range blocks {
		for i := range bl.left {
			all[bl.left[i].ID] = bl
		}
	}
	x.of[merchant] = all
}

// outboxPlan is what a batch does to the stored effects; keep makes it so here as well, once it is durable.
type outboxPlan struct {
	x        *effectBlocks
	merchant commerce.ID
	parts    []bulk.Part
	fresh    *effectBlock
	done     []commerce.ID
	left     map[*effectBlock][]packed
}

func (x *effectBlocks) plan(f *forms, bt *commerce.Batch) *outboxPlan {
	p := &outboxPlan{x: x, merchant: bt.Merchant, done: bt.Done}
	m := bulk.Num(bt.Merchant)
	if len(bt.Effects) > 0 {
		p.fresh = &effectBlock{id: bt.Effects[0].ID, left: make([]packed, 0, len(bt.Effects))}
		var last int64
		for _, e := range bt.Effects {
			p.fresh.left = append(p.fresh.left, packed{e.ID, e.Kind, e.Body, stored.MS(e.NotAfter)})
			last = max(last, stored.MS(e.NotAfter))
		}
		fresh := &bulk.Rows{Form: &f.effects}
		fresh.Add(m, bulk.Num(p.fresh.id), bulk.Str(effectsKind), bulk.Bytes(packEffects(p.fresh.left)), bulk.Num(last))
		p.parts = append(p.parts, bulk.Part{Many: fresh})
	}
	if len(bt.Done) == 0 {
		return p
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	gone := make(map[commerce.ID]bool, len(bt.Done))
	var touched []*effectBlock
	p.left = map[*effectBlock][]packed{}
	for _, id := range bt.Done {
		gone[id] = true
		bl := x.of[bt.Merchant][id]
		if bl == nil {
			continue
		}
		if _, ok := p.left[bl]; !ok {
			p.left[bl] = nil
			touched = append(touched, bl)
		}
	}
	leave, drop := &bulk.Rows{Form: &f.effectsLeft}, &bulk.Rows{Form: &f.effectsDone}
	for _, bl := range touched {
		var left []packed
		for _, e := range bl.left {
			if !gone[e.ID] {
				left = append(left, e)
			}
		}
		if p.left[bl] = left; len(left) == 0 {
			drop.Add(m, bulk.Num(bl.id))
		} else {
			leave.Add(bulk.Bytes(packEffects(left)), m, bulk.Num(bl.id))
		}
	}
	for _, r := range []*bulk.Rows{leave, drop} {
		if r.Len() > 0 {
			p.parts = append(p.parts, bulk.Part{Many: r})
		}
	}
	return p
}

// keep notes what became durable.
func (p *outboxPlan) keep() {
	if p.fresh == nil && len(p.left) == 0 {
		return
	}
	p.x.mu.Lock()
	defer p.x.mu.Unlock()
	all := p.x.of[p.merchant]
	if all == nil {
		return // it was not loaded here
	}
	if p.fresh != nil {
		for i := range p.fresh.left {
			all[p.fresh.left[i].ID] = p.fresh
		}
	}
	for bl, left := range p.left {
		bl.left = left
	}
	for _, id := range p.done {
		delete(all, id)
	}
}

// packEffects makes a block's body.
func packEffects(effects []packed) []byte {
	size := 2
	for i := range effects {
		size += 100 + len(effects[i].Body)
	}
	out := append(make([]byte, 0, size), '[')
	for i := range effects {
		e := &effects[i]
		if i > 0 {
			out = append(out, ',')
		}
		o := object.Open(out)
		o.ID("id", int64(e.ID))
		o.Text("kind", e.Kind)
		o.Name("body")
		if len(e.Body) == 0 {
			o.Buf = append(o.Buf, "null"...)
		}
		o.Buf = append(o.Buf, e.Body...)
		o.Number("not_after_ms", e.NotAfter)
		out = o.Close()
	}
	return append(out, ']')
}

// scanEffects reads one row of the stored effects.
func scanEffects(r *sql.Rows) (*effectBlock, error) {
	var id commerce.ID
	var kind string
	var body []byte
	var notAfter int64
	if err := r.Scan(&id, &kind, &body, &notAfter); err != nil {
		return nil, err
	}
	bl := &effectBlock{id: id}
	if kind != effectsKind { // a row from before blocks is one effect
		bl.left = []packed{{id, kind, body, notAfter}}
		return bl, nil
	}
	return bl, json.Unmarshal(body, &bl.left)
}
