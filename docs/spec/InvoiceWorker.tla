--------------------------- MODULE InvoiceWorker ---------------------------
(***************************************************************************)
(* One event's way, from record to settled: what the ledger says, intent,    *)
(* register, doubt, reconciliation, a person's verdict.  Attach and start    *)
(* are left out: asked about before they are repeated, they bill nothing.    *)
(*                                                                          *)
(* Every safeguard is a constant, here and in Trim.tla: TRUE (or the word    *)
(* in InvoiceWorker.base.cfg) is the worker as built, anything else takes    *)
(* the safeguard away.                                                       *)
(***************************************************************************)
EXTENDS Trim

CONSTANTS
  IntentFirst,      \* register goes out only when its intent is acknowledged
  OneIntentOneCall, \* a retry writes a new intent; an answer closes the intent that it names
  Validity,         \* an intent older than its validity is not acted upon
  NewOwnerWaits,    \* an inherited doubt is touched only when what former owners sent or may send is decided
  SweepWaits,       \* a sweep counts only when every call of the identity is visible or dead (A, D, the witness)
  Witness,          \* a witnessed "not found" registers again (FALSE: quarantine)
  DoubtBlocks,      \* an event of an identity in doubt is settled as blocked
  VerdictRule       \* a verdict is obeyed while the ledger holds "bound": the very doubt that it names
                    \* "doubt": any doubt | "always": whatever the ledger says

Rest == UNCHANGED <<n, jEp, sEp, jstart, led, off, outs, replays, expired>>

Busy(e, r) ==     \* the next event of an identity begins when the former one's settlement is committed
  \E x \in Recs : /\ x # r /\ Exists(x) /\ IdOf(x) = IdOf(r)
                  /\ \/ own[e].loc[x].s \notin {"new", "set"}
                     \/ x[1] = r[1] /\ x[2] < r[2] /\ own[e].loc[x].s # "set"
Tries(r) == Cardinality({i \in 1 .. Len(journal) : journal[i].k = "intent" /\ journal[i].rec = r})

Send(e, r, i) == calls' = [calls EXCEPT ![IdOf(r)] = Append(@,
                    [i |-> i, ep |-> e, p |-> "pend", a |-> IF own[e].st = "z" THEN "gone" ELSE "none"])]
Announce(e, r) ==
  IF IntentFirst
  THEN CanWrite(e) /\ Fact(e, "intent", r, 0, [New EXCEPT !.s = "int", !.i = Len(journal) + 1]) /\ Rest /\ UNCHANGED calls
  ELSE /\ On(e) /\ Len(calls[IdOf(r)]) < MaxTry /\ Send(e, r, 0)
       /\ own' = [own EXCEPT ![e].loc[r] = [New EXCEPT !.s = "out", !.c = Len(calls[IdOf(r)]) + 1]]
       /\ Rest /\ UNCHANGED journal
Ready(e, r, h, v) == /\ On(e) /\ (HasS(e) \/ Restarts)
                     /\ own' = [own EXCEPT ![e].loc[r] = [New EXCEPT !.s = "rdy", !.h = h, !.v = v]]
                     /\ Rest /\ UNCHANGED <<journal, calls>>

Obeyed(l, w) == \/ VerdictRule = "always"
                \/ l.how = "doubt" /\ (VerdictRule = "bound" => l.ver = w.ver)

Begin(e, r) ==
  /\ On(e) /\ Exists(r) /\ own[e].loc[r].s = "new" /\ ~Busy(e, r)
  /\ LET l == own[e].led[IdOf(r)] IN
     IF IsCommand(r) THEN LET w == replays[r[2]] IN Ready(e, r, IF Obeyed(l, w) THEN w.verdict ELSE "same", 0)
     ELSE IF l.how \in {"ok", "reg"} THEN Ready(e, r, "ok", 0)              \* repeated, or resumed
     ELSE IF l.how = "doubt" /\ DoubtBlocks THEN Ready(e, r, "doubt", l.ver)   \* blocked
     ELSE Announce(e, r)

Fire(e, r) ==     \* needs no broker: a zombie can do it, and so can an ownership that was lost
  /\ own[e].st \in {"on", "z"} /\ own[e].loc[r].s = "int"
  /\ (Validity => own[e].loc[r].i > expired)
  /\ Send(e, r, own[e].loc[r].i)
  /\ own' = IF own[e].st = "z"
            THEN [own EXCEPT ![e] = Reduced([own[e] EXCEPT !.loc[r] = New], e, jEp, sEp, jstart)]
            ELSE [own EXCEPT ![e].loc[r].s = "out", ![e].loc[r].c = Len(calls[IdOf(r)]) + 1]
  /\ Rest /\ UNCHANGED journal

NotSent(e, r) ==  \* no connection, or the intent grew too old
  /\ AllowNot /\ CanWrite(e) /\ own[e].loc[r].s = "int"
  /\ Fact(e, "not", r, own[e].loc[r].i, [New EXCEPT !.s = "not", !.i = own[e].loc[r].i]) /\ Rest /\ UNCHANGED calls

GotAnswer(e, r) ==
  /\ On(e) /\ own[e].loc[r].s = "out"
  /\ LET c == own[e].loc[r].c a == calls[IdOf(r)][c].a i == own[e].loc[r].i IN
     /\ calls' = [calls EXCEPT ![IdOf(r)][c].a = "gone"]
     /\ \/ a = "ok"  /\ HasJ(e) /\ Fact(e, "id", r, i, [New EXCEPT !.s = "rdy", !.h = "ok"])
        \/ a = "not" /\ HasJ(e) /\ Fact(e, "not", r, i, [New EXCEPT !.s = "not", !.i = i])
        \/ a = "lost" /\ own' = [own EXCEPT ![e].loc[r] = [New EXCEPT !.s = "dbt", !.i = i]] /\ UNCHANGED journal
  /\ Rest

AfterNot(e, r) ==   \* a new intent, or give up (attempts, elapsed time, registers after doubts)
  /\ On(e) /\ own[e].loc[r].s = "not"
  /\ \/ /\ Tries(r) < MaxTry /\ (OneIntentOneCall \/ ~IntentFirst) /\ Announce(e, r)
     \/ /\ ~OneIntentOneCall /\ Len(calls[IdOf(r)]) < MaxTry
        /\ own' = [own EXCEPT ![e].loc[r].s = "int"] /\ Rest /\ UNCHANGED <<journal, calls>>
     \/ Ready(e, r, "gaveup", 0)

---------------------------------------------------------------------------
(* In doubt *)
Inherited(e, i) == i # 0 /\ journal[i].ep # e
WaitOver(e) ==
  /\ On(e) /\ ~own[e].w /\ \E r \in Recs : own[e].loc[r].s = "dbt" /\ Inherited(e, own[e].loc[r].i)
  /\ \A x \in Ids : \A c \in CallsOf(x) : calls[x][c].i <= own[e].fence => calls[x][c].p \in {"vis", "no"}
  /\ own' = [own EXCEPT ![e].w = TRUE] /\ expired' = Max({expired, own[e].fence})
  /\ UNCHANGED <<n, jEp, sEp, journal, jstart, led, off, outs, replays, calls>>

Reconcile(e, r) ==
  /\ On(e) /\ own[e].loc[r].s = "dbt"
  /\ LET d == own[e].loc[r] x == IdOf(r) sure == SweepWaits => Quiet(x) IN
     /\ (NewOwnerWaits /\ Inherited(e, d.i) => own[e].w)
     /\ \/ /\ sure /\ Found(x) /\ HasJ(e)                      \* adopted
           /\ Fact(e, "id", r, d.i, [New EXCEPT !.s = "rdy", !.h = "ok"]) /\ Rest /\ UNCHANGED calls
        \/ /\ sure /\ ~Found(x) /\ Witness /\ HasJ(e)          \* witnessed: closes this intent, the next call has its own
           /\ Fact(e, "not", r, d.i, [New EXCEPT !.s = "not", !.i = d.i]) /\ Rest /\ UNCHANGED calls
        \/ /\ Blind \/ (sure /\ ~Found(x))                     \* given up: left to a person
           /\ Ready(e, r, "doubt", d.i)

---------------------------------------------------------------------------
(* The bound on ownerships is reached and nobody holds both producers: the next take-over would come *)
Crossed == n = MaxOwner /\ ~\E e \in Owners : HasJ(e) /\ HasS(e) /\ own[e].st \notin {"dead", "z"}
Terminated == (AllDone \/ Crossed) /\ UNCHANGED vars

Next ==
  \/ StartJ
  \/ \E e \in Owners : \/ StartS(e) \/ Claims(e) \/ ReadOffsets(e) \/ ReadLedger(e) \/ ReadJournal(e) \/ Go(e)
                       \/ AgainS1(e) \/ AgainS2(e) \/ AgainJ(e) \/ CommitJournal(e)
                       \/ WaitOver(e) \/ Prepare(e) \/ Complete(e) \/ TrimUnclear(e) \/ Delete(e)
  \/ \E e \in Owners, r \in Recs : \/ Begin(e, r) \/ Fire(e, r) \/ NotSent(e, r) \/ GotAnswer(e, r)
                                   \/ AfterNot(e, r) \/ Reconcile(e, r)
  \/ Offsets \/ ApiStep \/ Person \/ Terminated
Spec == Init /\ [][Next]_vars

---------------------------------------------------------------------------
(* The intent's acknowledgement is the proof of ownership: whoever holds an acknowledged intent, and J, *)
(* works on a record that nobody has settled                                                             *)
IntentProves == \A e \in Owners, r \in Recs : CanWrite(e) /\ own[e].loc[r].s \in {"int", "out"} => outs[r] = <<>>

(* Not promises: what the model must be able to do (vacuity).  Each is a configuration that must break it. *)
NoAnswerWithoutS == \A i \in 1 .. Len(journal) : ~(journal[i].k = "id" /\ \E e \in Owners :
                       On(e) /\ journal[i].ep = e /\ ~HasS(e) /\ own[e].end = i + 1)
NoVerdictBilled  == ~\E r, s \in Recs : /\ \E k \in 1 .. Len(outs[r]) : outs[r][k].h = "no"
                                        /\ s[1] = "p" /\ outs[s] # <<>> /\ outs[s][1].h = "ok" /\ r[2] < s[2]
NoneAgain == \A x \in Ids : Len(calls[x]) < 2
=============================================================================
