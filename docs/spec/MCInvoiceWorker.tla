-------------------------- MODULE MCInvoiceWorker --------------------------
(* The input sequences that the configurations choose from. *)
EXTENDS InvoiceWorker
ReqX   == <<"X">>
ReqXX  == <<"X", "X">>
ReqXXX == <<"X", "X", "X">>
ReqXY  == <<"X", "Y">>
ReqXYZ == <<"X", "Y", "Z">>
=============================================================================
