-------------------------------- MODULE Trim --------------------------------
(***************************************************************************)
(* Owning a partition: two transactional producers (J writes the journal,   *)
(* S settles), the claim, what is read and when, settling, and a journal    *)
(* that its owner trims (DeleteRecords is not fenced).                       *)
(*                                                                          *)
(* Ownership e = 1, 2, .. is one take-over: start J, start S, claim, read    *)
(* offsets, ledger and journal, renew the ledger's header, go.  Each is a    *)
(* step of its own, and take-overs INTERLEAVE.  Any of them may stop for     *)
(* good (a crash) or go on later (a zombie that woke up), with none, one or  *)
(* both of its producers fenced.  An ownership that was lost of itself (a    *)
(* time-out, an unclear commit) still journals the answers of its calls: it  *)
(* is one that just takes no other step, so it needs no state of its own.    *)
(*                                                                          *)
(* A journal append and its acknowledgement are one step: one that was not   *)
(* acknowledged causes nothing, and the owner may freeze after it.  A commit *)
(* is two: Prepare (the coordinator has decided) and Complete (readers see   *)
(* it).  A trim is computed in memory and delivered at any later time.       *)
(***************************************************************************)
EXTENDS World

CONSTANTS
  Claim,             \* after both starts J must write once more, before anything is read
  OffsetWhen, LedgerWhen, JournalWhen,  \* "after" both starts and the claim | "between" the two starts
  JournalFirst,      \* after the claim: the journal before the ledger
  FenceJ, FenceS,    \* starting fences (FALSE: that id is not shared by the owners)
  InitWaitsPrepared, \* starting S returns only when a prepared commit is complete
  ReadUncommitted,   \* the journal is read read_uncommitted
  LedgerBeyond,      \* ledger entries hold the last settled offset of each input
  ContiguousPrefix,  \* the committed offset is the contiguous prefix of what is settled
  UnclearEnds,       \* a commit whose answer was lost ends the ownership
  TrimTo,            \* "first": before the first fact of ANY unsettled event, else before `end`
                     \* "own": inherited facts ignored | "event": first fact of the OLDEST unsettled event
                     \* "hw": as "first", but the broker's end when nothing is unsettled
  TrimWhen,          \* "known": after a commit known to be committed | "sent": also when it is unclear
  RestartS, RestartJ \* only that producer is started again, memory kept (S: the ledger is read again)

HasJ(e)      == ~FenceJ \/ jEp = e
HasS(e)      == ~FenceS \/ sEp = e
On(e)        == own[e].st = "on"
CanWrite(e)  == On(e) /\ HasJ(e)
CanSettle(e) == On(e) /\ own[e].commit = <<>> /\ HasS(e)
Commits  == {e \in Owners : own[e].commit # <<>>}
Restarts == RestartS \/ RestartJ

(* A pure reduction: who holds neither producer can only fire bullets and deliver a trim *)
Reduced(o, f, j, s, js) ==
  IF o.st \in {"off", "dead", "one"} \/ (FenceJ => j = f) \/ (FenceS => s = f) \/ Restarts \/ o.commit # <<>> THEN o
  ELSE LET l == [r \in Recs |-> IF o.loc[r].s = "int" THEN o.loc[r] ELSE New]
           t == IF o.trim = -1 \/ o.trim > js THEN o.trim ELSE 0
       IN IF l = NoLoc /\ t = 0 THEN Dead ELSE [NoOwner EXCEPT !.st = "z", !.loc = l, !.trim = t]
Sweep(ow, j, s, js) == [f \in Owners |-> Reduced(ow[f], f, j, s, js)]
(* Nobody journals the answer of a call whose owner lost J; without S too, nobody uses it at all *)
Muted(j, s) == IF ~FenceJ \/ ~FenceS \/ Restarts THEN calls
               ELSE [x \in Ids |-> [c \in CallsOf(x) |->
                       IF calls[x][c].ep \notin {j, s} THEN [calls[x][c] EXCEPT !.a = "gone"] ELSE calls[x][c]]]

---------------------------------------------------------------------------
(* Taking over *)
StartJ == LET e == n + 1 IN
  /\ n < MaxOwner /\ n' = e /\ jEp' = e
  /\ journal' = IF ReadUncommitted \/ ~FenceJ THEN journal       \* else what was not committed is aborted
                ELSE [i \in 1 .. Len(journal) |-> IF journal[i].st = "open" THEN [journal[i] EXCEPT !.st = "gone"]
                                                  ELSE journal[i]]
  /\ own' = Sweep([own EXCEPT ![e] = [NoOwner EXCEPT !.st = "one"]], e, sEp, jstart) /\ calls' = Muted(e, sEp)
  /\ UNCHANGED <<sEp, jstart, led, off, outs, replays, expired>>

StartS(e) ==
  /\ own[e].st = "one"
  /\ (OffsetWhen = "between" => own[e].ro) /\ (LedgerWhen = "between" => own[e].rl) /\ (JournalWhen = "between" => own[e].rj)
  /\ (FenceS /\ InitWaitsPrepared => Commits = {})
  /\ sEp' = e /\ calls' = Muted(jEp, e)
  /\ own' = Sweep([own EXCEPT ![e].st = IF Claim THEN "two" ELSE "ok", ![e].fence = Len(journal)], jEp, e, jstart)
  /\ UNCHANGED <<n, jEp, journal, jstart, led, off, outs, replays, expired>>

Mine(e, o) == /\ own' = [own EXCEPT ![e] = o]
              /\ UNCHANGED <<n, jEp, sEp, journal, jstart, led, off, outs, replays, calls, expired>>
Claims(e) == own[e].st = "two" /\ Mine(e, IF HasJ(e) THEN [own[e] EXCEPT !.st = "ok"] ELSE Dead)

Now(e, when) == own[e].st = (IF when = "after" THEN "ok" ELSE "one")
ReadOffsets(e) == ~own[e].ro /\ Now(e, OffsetWhen) /\ Mine(e, [own[e] EXCEPT !.ro = TRUE, !.off = off])
ReadLedger(e)  == /\ ~own[e].rl /\ Now(e, LedgerWhen)
                  /\ (OffsetWhen = LedgerWhen => own[e].ro) /\ (JournalFirst /\ LedgerWhen = JournalWhen => own[e].rj)
                  /\ Mine(e, [own[e] EXCEPT !.rl = TRUE, !.led = led])
ReadJournal(e) == /\ ~own[e].rj /\ Now(e, JournalWhen)
                  /\ (OffsetWhen = JournalWhen => own[e].ro) /\ (~JournalFirst /\ LedgerWhen = JournalWhen => own[e].rl)
                  /\ Mine(e, [own[e] EXCEPT !.rj = TRUE, !.end = Len(journal) + 1, !.log = [i \in 1 .. Len(journal) |->
                        IF ReadUncommitted \/ journal[i].st = "done" THEN journal[i] ELSE [journal[i] EXCEPT !.k = "-"]]])

(* What a new owner concludes about a record *)
Recovered(log, o, l, r) ==
  IF r[2] < o[r[1]] THEN Settled
  ELSE IF Exists(r) /\ LedgerBeyond /\ l[IdOf(r)][r[1]] >= r[2] THEN Settled
  ELSE LET Of(k) == {i \in 1 .. Len(log) : log[i].k = k /\ log[i].rec = r} IN
       IF Of("id") # {} THEN [New EXCEPT !.s = "rdy", !.h = "ok"]
       ELSE IF Of("intent") = {} THEN New
       ELSE LET i == Max(Of("intent")) IN
            [New EXCEPT !.i = i, !.s = IF \E j \in Of("not") : log[j].of = i THEN "not" ELSE "dbt"]

(* The header's renewal is the settlement producer's first commit: refused when another one started it since *)
Go(e) == /\ own[e].st = "ok" /\ own[e].ro /\ own[e].rl /\ own[e].rj
         /\ Mine(e, IF ~HasS(e) THEN Dead
                    ELSE [own[e] EXCEPT !.st = "on", !.log = <<>>, !.off = <<>>,
                            !.loc = [r \in Recs |-> Recovered(own[e].log, own[e].off, own[e].led, r)]])

(* Rejected: only one of the two producers is started again *)
AgainS1(e) == /\ RestartS /\ On(e) /\ ~HasS(e) /\ own[e].commit = <<>> /\ Commits = {}
              /\ sEp' = e /\ own' = [own EXCEPT ![e].st = "sre"]
              /\ UNCHANGED <<n, jEp, journal, jstart, led, off, outs, replays, calls, expired>>
AgainS2(e) == /\ own[e].st = "sre"
              /\ Mine(e, [own[e] EXCEPT !.st = "on", !.led = led,
                    !.loc = [r \in Recs |-> IF Exists(r) /\ (r[2] < off[r[1]] \/ led[IdOf(r)][r[1]] >= r[2])
                                            THEN Settled ELSE own[e].loc[r]]])
AgainJ(e) == /\ RestartJ /\ On(e) /\ ~HasJ(e) /\ jEp' = e
             /\ UNCHANGED <<n, sEp, journal, jstart, led, off, outs, replays, own, calls, expired>>

---------------------------------------------------------------------------
(* Journal *)
Entry(e, k, r, of) == [k |-> k, rec |-> r, of |-> of, ep |-> e, st |-> IF ReadUncommitted THEN "done" ELSE "open"]
Fact(e, k, r, of, v) ==
  /\ journal' = Append(journal, Entry(e, k, r, of))
  /\ own' = [own EXCEPT ![e].loc[r] = v, ![e].end = Len(journal) + 2]
CommitJournal(e) ==     \* of no consequence but where the journal is read read_committed
  /\ ~ReadUncommitted /\ own[e].st = "on" /\ HasJ(e)
  /\ \E i \in 1 .. Len(journal) : journal[i].ep = e /\ journal[i].st = "open"
  /\ journal' = [i \in 1 .. Len(journal) |-> IF journal[i].ep = e /\ journal[i].st = "open"
                                             THEN [journal[i] EXCEPT !.st = "done"] ELSE journal[i]]
  /\ UNCHANGED <<n, jEp, sEp, jstart, led, off, outs, replays, own, calls, expired>>

(* Settling: ledger + outcome + offsets in one transaction *)
Prefix(l, S, t) ==
  LET all  == {r \in Recs : r[1] = t /\ Exists(r)}
      shut == {r \in all : l[r].s = "set" \/ r \in S}
  IN IF ~ContiguousPrefix THEN (IF shut = {} THEN 1 ELSE Max({r[2] : r \in shut}) + 1)
     ELSE IF shut = all THEN Cardinality(all) + 1 ELSE Min({r[2] : r \in all \ shut})

Prepare(e) ==
  /\ CanSettle(e)
  /\ LET S == {r \in Recs : own[e].loc[r].s = "rdy"} IN
     /\ S # {}
     /\ Mine(e, [own[e] EXCEPT !.commit = <<[recs |-> S,
             hows |-> [r \in S |-> [h |-> own[e].loc[r].h, v |-> own[e].loc[r].v]],
             off |-> [t \in Topics |-> Prefix(own[e].loc, S, t)]]>>])

Target(e, l) ==         \* how far the journal may be deleted, once the memory is l
  LET open  == {r \in Recs : Exists(r) /\ l[r].s # "set"}
      F(R)  == {i \in 1 .. own[e].end - 1 : journal[i].rec \in R /\ (TrimTo = "own" => journal[i].ep = e)}
      old   == {r \in open : \A s \in open : r[1] = s[1] => r[2] <= s[2]}
      facts == F(IF TrimTo = "event" THEN old ELSE open)
      t     == IF facts # {} THEN Min(facts) ELSE IF TrimTo = "hw" THEN -1 ELSE own[e].end
  IN IF t # -1 /\ t <= jstart THEN 0 ELSE t

(* An ending that changes nothing in the world leaves the entry's state alone *)
Stands(l, o) == CASE o.h = "ok"    -> [l EXCEPT !.how = "ok",   !.ver = 0]
                  [] o.h = "doubt" -> [l EXCEPT !.how = "doubt", !.ver = o.v]
                  [] o.h = "yes"   -> [l EXCEPT !.how = "reg",  !.ver = 0]
                  [] o.h = "no"    -> [l EXCEPT !.how = "none", !.ver = 0]
                  [] OTHER         -> l
Complete(e) ==
  /\ own[e].commit # <<>>
  /\ LET t == own[e].commit[1]
         NewLed(l) == [x \in Ids |->
            LET mine == {r \in t.recs : IdOf(r) = x} IN
            IF mine = {} THEN l[x]
            ELSE LET r == CHOOSE r \in mine : TRUE IN Stands([l[x] EXCEPT ![r[1]] = r[2]], t.hows[r])]
         nl == [r \in Recs |-> IF r \in t.recs THEN Settled ELSE own[e].loc[r]]
         Told == [own[e] EXCEPT !.commit = <<>>, !.led = NewLed(own[e].led), !.loc = nl, !.trim = Target(e, nl)]
     IN
     /\ led' = NewLed(led) /\ off' = t.off
     /\ outs' = [r \in Recs |-> IF r \in t.recs THEN Append(outs[r], t.hows[r]) ELSE outs[r]]
     /\ \/ own' = [own EXCEPT ![e] = Reduced(Told, e, jEp, sEp, jstart)]
        \/ ~UnclearEnds /\ own' = [own EXCEPT ![e].commit = <<>>]     \* taken for a failure
  /\ UNCHANGED <<n, jEp, sEp, journal, jstart, replays, calls, expired>>

---------------------------------------------------------------------------
(* Trimming *)
TrimUnclear(e) ==       \* the tooth: the commit's answer did not come, trim all the same
  /\ TrimWhen = "sent" /\ On(e) /\ own[e].commit = <<>> /\ own[e].trim = 0
  /\ LET S == {r \in Recs : own[e].loc[r].s = "rdy"}
         nl == [r \in Recs |-> IF r \in S THEN Settled ELSE own[e].loc[r]] IN
     S # {} /\ Target(e, nl) # 0 /\ Mine(e, [own[e] EXCEPT !.trim = Target(e, nl)])

Forgotten == [k |-> "-", rec |-> <<"-", 0>>, of |-> 0, ep |-> 0, st |-> "done"]
Delete(e) ==            \* DeleteRecords arrives: not fenced, at any time
  /\ own[e].trim # 0
  /\ LET t == IF own[e].trim = -1 THEN Len(journal) + 1 ELSE own[e].trim
         s == Max({jstart, t}) IN
     /\ jstart' = s
     /\ journal' = [i \in 1 .. Len(journal) |-> IF i < s THEN Forgotten ELSE journal[i]]
     /\ own' = Sweep([own EXCEPT ![e].trim = 0], jEp, sEp, s)
  /\ UNCHANGED <<n, jEp, sEp, led, off, outs, replays, calls, expired>>

(* No trim, computed or delivered, covers a fact of an unsettled event *)
TrimSafe == \A e \in Owners : own[e].trim # -1 /\
               \A i \in 1 .. Len(journal) : i < own[e].trim /\ journal[i].k # "-" => outs[journal[i].rec] # <<>>
=============================================================================
