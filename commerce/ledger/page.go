package ledger

import (
	"crypto/sha256"
	"time"

	"hawker/commerce/id"
	"hawker/internal/chat"
)

// Head is the end of a chain.
type Head struct {
	Seq  int64
	Hash [sha256.Size]byte
}

// Page is what one request writes, before it is chained: until then its entries can be given the keys of decisions. The zero
// value is empty.
type Page struct {
	lines   []line
	figures []StockFact // of all lines, so that a line makes no garbage
	room    []byte      // for bodies
	want    int         // bytes of room to make when some is needed
}

// bodyRoom is what a body needs at most, as a rule.
const bodyRoom = 256

// Room has room made for the bodies of n entries at once, when there is a first: of much that is asked nothing is written.
func (p *Page) Room(n int) { p.room, p.want = nil, n*bodyRoom }

type line struct {
	kind string
	show id.ID
	fact Fact
	key  Key
}

// Write adds an entry with the stock rows as they stand after it. Its key and reason are Name's to give.
func (p *Page) Write(kind string, show id.ID, f Fact, stock ...StockFact) {
	from := len(p.figures)
	p.figures = append(p.figures, stock...)
	f.Key, f.Reason, f.Stock = nil, "", p.figures[from:len(p.figures):len(p.figures)]
	p.lines = append(p.lines, line{kind: kind, show: show, fact: f})
}

// Decided is a decision as the ledger names it.
type Decided struct {
	Key              Key
	Reason           Reason
	Viewer           chat.Viewer
	Show             id.ID
	Number, Quantity int
}

// Name names a decision in exactly one entry of the page: the last that tells of the same viewer's pieces; for a decision of
// the host, who is no viewer, the first; and where there is none, one of its own.
func (p *Page) Name(d *Decided) {
	l := p.lineOf(d.Viewer)
	if l == nil {
		f := Fact{Number: d.Number, Quantity: d.Quantity}
		if d.Viewer.ID != "" {
			f.Viewer = string(d.Viewer.Platform) + "/" + d.Viewer.ID
		}
		p.lines = append(p.lines, line{kind: "decided", show: d.Show, fact: f})
		l = &p.lines[len(p.lines)-1]
	}
	l.key, l.fact.Reason = d.Key, d.Reason
}

func (p *Page) lineOf(v chat.Viewer) *line {
	at := len(v.Platform)
	var found *line
	for i := range p.lines {
		l := &p.lines[i]
		switch name := l.fact.Viewer; {
		case l.key.Message != "" || l.kind == "left":
		case v.ID == "":
			return l
		case len(name) > at && name[:at] == string(v.Platform) && name[at+1:] == v.ID:
			found = l
		}
	}
	return found
}

// Len is how many entries the page has.
func (p *Page) Len() int { return len(p.lines) }

// Chain appends the page's entries to out, chained to the head, and empties the page.
func (p *Page) Chain(head Head, at time.Time, out []Entry) (Head, []Entry) {
	for i := range p.lines {
		l := &p.lines[i]
		if l.key.Message != "" {
			l.fact.Key = &l.key
		}
		if cap(p.room)-len(p.room) < bodyRoom {
			p.room, p.want = make([]byte, 0, max(p.want, bodyRoom)), 0
		}
		body := l.fact.Append(p.room[len(p.room):])
		if len(body) <= cap(p.room)-len(p.room) {
			p.room = p.room[:len(p.room)+len(body)]
		}
		e := Entry{Seq: head.Seq + 1, At: at, Show: l.show, Kind: l.kind, Body: body[:len(body):len(body)], Prev: head.Hash}
		e.Hash = e.Chain()
		head = Head{e.Seq, e.Hash}
		out = append(out, e)
	}
	clear(p.lines)
	p.lines, p.figures = p.lines[:0], p.figures[:0]
	return head, out
}
