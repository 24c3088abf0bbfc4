#include <oneapi/dnnl/dnnl.h>

/*
 * libgomp ships its header with the compiler, not with the library; these two are its stable ABI.
 */
void omp_set_num_threads(int count);
int omp_get_max_threads(void);
