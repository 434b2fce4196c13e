#include "/work/main/native/src/test/commands.h"
namespace tensorloom::test { int self_check(Where){return 0;} int compare_devices(const std::vector<std::string>&){return 0;} int bench(const std::vector<std::string>&,Where,double){return 0;} }
