/// The record of `docs/format/record.md`.
enum RecordVectors {
  static let run: String =
    #"{"base":"0123456789abcdef0123456789abcdef01234567","chain":["c10e",2,"#
    + #""6da0633528deaa0144e7b058315f0b753ec0b945163a72bf96a0d18180f9de0d"],"cmd":["python train.py"],"#
    + #""code":["5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b",4],"cpu":59000,"#
    + #""end":1790000060000,"#
    + #""environment":["ba5285161ba6eed0085fb13784ce5c92f70ebc268b94fd66aa1d68a32884204d",11],"exit":0,"#
    + #""inputs":[{"mode":"tree","oid":"3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7","#
    + #""path":"data","size":4},{"oid":"5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b","#
    + #""path":"train.py","size":4}],"#
    + #""key":"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683","#
    + #""log":["836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213",3],"memory":1073741824,"#
    + #""metrics":[["metrics.json",{"auc":0.75}]],"outputs":[{"cache":false,"#
    + #""oid":"62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a","path":"metrics.json","#
    + #""size":1},{"mode":"exec","oid":"9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4","#
    + #""path":"model.pkl","size":5}],"params":[["params.yaml","lr",0.1]],"stage":"train","#
    + #""start":1790000000000,"status":"complete","type":"run","user":"Ada <ada@example.com>","version":1}"#
  static let runID = "cb518172d50d2176cc85ccab2619c2063e305d15ff459565534a43a1a45bdd72"
}
