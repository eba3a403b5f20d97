------------------------------- MODULE Timing -------------------------------
(***************************************************************************)
(* How long is long enough?  ONE identity, one record, discrete time.       *)
(* Everything that Kafka guards (fencing, the journal) is taken as perfect: *)
(* InvoiceWorker.tla checks that.  This module asks which waits make the    *)
(* untimed guards NewOwnerWaits and SweepWaits true.                         *)
(*                                                                          *)
(*   V  intent validity: from before the intent is produced to the check     *)
(*   T  register time-out: check -> the call is given up, every byte is out  *)
(*   A  late processing: given up (or would have been) -> carried out        *)
(*   D  carried out -> visible to the search, within this bound              *)
(*   E  clock error between the two machines over one wait                   *)
(*   W  a new owner's wait for an inherited doubt, from its claim            *)
(*   O  an owner's wait for its own doubt, from the call's end               *)
(*                                                                          *)
(* "Not found" registers again the moment the wait is over: what a person    *)
(* does who looks then.  The worker itself wants a witness too (Witness.tla).*)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS V, T, A, D, E, W, O,
  MaxOwner, MaxTry, Horizon,
  Quarantine,        \* a doubt is never registered again
  Stamp,             \* "birth": the intent's age counts from before it is produced; "ack": from its ack
  Clock,             \* "both": the check sees real time; "mono": a suspended machine's clock stood still
  FreezeAfterCheck,  \* may a sender freeze between check and last byte, without bound
  OwnFrom            \* an owner's own wait counts from the call's "end" or from the "check"

VARIABLES now, epoch, claimed, journal, own, calls
vars == <<now, epoch, claimed, journal, own, calls>>

Owners == 1 .. MaxOwner
(* s: idle | prod (the intent is on its way) | app (acknowledged, unread) | int | chk | out | dbt | done | dead *)
(* b: when its intent was stamped; c: the check, then the call's end; k: its call; inh: the doubt is inherited  *)
Off == [s |-> "dead", b |-> 0, c |-> 0, k |-> 0, inh |-> FALSE]

Init == /\ now = 0 /\ epoch = 1 /\ claimed = 0 /\ journal = <<>> /\ calls = <<>>
        /\ own = [e \in Owners |-> IF e = 1 THEN [Off EXCEPT !.s = "idle"] ELSE Off]

Live(e) == epoch = e
Set(e, s) == own' = [own EXCEPT ![e].s = s]

TakeOver ==
  /\ epoch < MaxOwner /\ epoch' = epoch + 1 /\ claimed' = now
  /\ own' = [f \in Owners |->
       IF f = epoch + 1
       THEN [Off EXCEPT !.inh = TRUE,
               !.s = IF own[epoch].s = "done" THEN "done"
                     ELSE IF journal = <<>> \/ journal[Len(journal)] = "not" THEN "idle"
                     ELSE IF journal[Len(journal)] = "ok" THEN "done" ELSE "dbt"]
       ELSE IF own[f].s \in {"app", "int", "chk"} THEN own[f] ELSE Off]      \* its bullet
  /\ UNCHANGED <<now, journal, calls>>

Produce(e)  == /\ Live(e) /\ own[e].s = "idle" /\ Len(journal) < MaxTry
               /\ own' = [own EXCEPT ![e].s = "prod", ![e].b = now, ![e].inh = FALSE]
               /\ UNCHANGED <<now, epoch, claimed, journal, calls>>
Appended(e) == /\ Live(e) /\ own[e].s = "prod" /\ journal' = Append(journal, "open") /\ Set(e, "app")
               /\ UNCHANGED <<now, epoch, claimed, calls>>
ReadAck(e)  == /\ own[e].s = "app"
               /\ own' = [own EXCEPT ![e].s = "int", ![e].b = IF Stamp = "ack" THEN now ELSE @]
               /\ UNCHANGED <<now, epoch, claimed, journal, calls>>
Check(e)    == /\ own[e].s = "int" /\ (Clock = "mono" \/ now - own[e].b < V)
               /\ own' = [own EXCEPT ![e].s = "chk", ![e].c = now]
               /\ UNCHANGED <<now, epoch, claimed, journal, calls>>
TooOld(e)   == /\ Live(e) /\ own[e].s = "int" /\ now - own[e].b >= V
               /\ Set(e, "idle") /\ journal' = [journal EXCEPT ![Len(journal)] = "not"]
               /\ UNCHANGED <<now, epoch, claimed, calls>>
(* `end`: until when the call is on its way at most, as long as nobody ended it *)
Send(e)     == /\ own[e].s = "chk"
               /\ calls' = Append(calls, [end |-> IF now > own[e].c + T THEN now ELSE own[e].c + T, p |-> "pend", t |-> 0])
               /\ own' = [own EXCEPT ![e].s = IF Live(e) THEN "out" ELSE "dead", ![e].k = Len(calls) + 1]
               /\ UNCHANGED <<now, epoch, claimed, journal>>
Crash(e)    == /\ own[e].s \in {"chk", "int", "app"} /\ ~Live(e) /\ Set(e, "dead")
               /\ UNCHANGED <<now, epoch, claimed, journal, calls>>

Carried == {n \in 1 .. Len(calls) : calls[n].p \in {"done", "vis"}}

(* "ok" after the call was carried out; anything else (a 5xx, a time-out, an ambiguous answer) at any time *)
Answer(e) ==
  /\ Live(e) /\ own[e].s = "out" /\ UNCHANGED <<now, epoch, claimed>>
  /\ LET k == own[e].k IN
     /\ calls' = [calls EXCEPT ![k].end = IF now < @ THEN now ELSE @]
     /\ \E ok \in BOOLEAN :
          /\ (ok => k \in Carried)
          /\ journal' = IF ok THEN [journal EXCEPT ![Len(journal)] = "ok"] ELSE journal
          /\ own' = [own EXCEPT ![e].s = IF ok THEN "done" ELSE "dbt", ![e].c = IF OwnFrom = "end" THEN now ELSE @]

(* Both waits are closed bounds: what is waited for may still happen in the tick of the deadline *)
MaySweep(e) == IF own[e].inh THEN now >= claimed + W - E ELSE now > own[e].c + O

Reconcile(e) ==
  /\ Live(e) /\ own[e].s = "dbt" /\ MaySweep(e)
  /\ IF Quarantine \/ \E n \in 1 .. Len(calls) : calls[n].p = "vis"
     THEN Set(e, "done") /\ UNCHANGED journal
     ELSE Set(e, "idle") /\ journal' = [journal EXCEPT ![Len(journal)] = "not"]
  /\ UNCHANGED <<now, epoch, claimed, calls>>

Api(n) ==
  /\ \/ /\ calls[n].p = "pend"
        /\ \/ calls' = [calls EXCEPT ![n].p = "done", ![n].t = now]
           \/ calls' = [calls EXCEPT ![n].p = "no"]
     \/ /\ calls[n].p = "done" /\ calls' = [calls EXCEPT ![n].p = "vis"]
  /\ UNCHANGED <<now, epoch, claimed, journal, own>>

Tick ==
  /\ now < Horizon
  /\ \A n \in 1 .. Len(calls) : /\ calls[n].p = "pend" => now < calls[n].end + A
                                /\ calls[n].p = "done" => now < calls[n].t + D
  /\ \A e \in Owners : own[e].s = "chk" /\ ~FreezeAfterCheck => now < own[e].c + T
  /\ now' = now + 1
  /\ UNCHANGED <<epoch, claimed, journal, own, calls>>

Next == \/ TakeOver \/ Tick
        \/ \E e \in Owners : \/ Produce(e) \/ Appended(e) \/ ReadAck(e) \/ Check(e) \/ TooOld(e)
                             \/ Send(e) \/ Crash(e) \/ Answer(e) \/ Reconcile(e)
        \/ \E n \in 1 .. Len(calls) : Api(n)
Spec == Init /\ [][Next]_vars

NeverTwice == Cardinality(Carried) <= 1
=============================================================================
